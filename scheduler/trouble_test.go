package scheduler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// A container that cannot start fails the execution without trying every task
// in turn, and says why.
func TestUnstartableContainerFailsFast(t *testing.T) {
	cause := fmt.Errorf("exec /nope: no such file: %w", rruntime.ErrUnstartable)
	for _, tc := range []struct {
		name string
		play script
	}{
		{"at creation", script{createErr: cause}},
		{"at start", script{createTakes: time.Millisecond, startErr: cause}},
		{"at start, after a while", script{createTakes: time.Second, startTakes: time.Second, startErr: cause}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tries, ended := 0, 0
			play := func(rruntime.Spec) script { tries++; return tc.play }
			observe := func(ev Event) {
				if ev.State.Final() {
					ended++
				}
			}
			bubble(t, Config{Observe: observe}, play, func(t *testing.T, s *Scheduler, _ *host) {
				begun := time.Now()
				e, status := execute(t, s, testJob(10_000, 0, 3, time.Minute))
				check(t, status, "succeeded 0 failed 10000 cancelled 0 retried 0")
				if tries > 30 {
					t.Errorf("%d tries", tries)
				}
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("took %s", took)
				}
				if ended != 10_000 {
					t.Errorf("%d ends of tasks were told", ended)
				}
				got := completed(t, status).GetMessage()
				if !strings.HasPrefix(got, "Task "+e.Name()+"-task") ||
					!strings.HasSuffix(got, " failed with message: exec /nope: no such file: container cannot start") {
					t.Errorf("message %q", got)
				}
				last := tasksOf(t, e)[9999]
				if last.GetLabels()[StateLabel] != "Failed" || !strings.Contains(last.GetLastAttemptResult().GetStatus().GetMessage(), "no such file") {
					t.Errorf("last task %v", last)
				}
			})
		})
	}
}

// What the host does wrong costs an attempt, and a pause.
func TestHostErrorsAreRetriedWithAPause(t *testing.T) {
	gone := errors.New("shim: connection refused")
	for _, tc := range []struct {
		name string
		play script
	}{
		{"at creation", script{createErr: gone}},
		{"at start", script{startErr: gone}},
		{"while it runs", script{waitErr: gone}},
		{"while it runs, without an error", script{exit: contract.Exit{Lost: true}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, Config{}, always(tc.play), func(t *testing.T, s *Scheduler, _ *host) {
				begun := time.Now()
				e, status := execute(t, s, testJob(1, 0, 3, time.Minute))
				check(t, status, "succeeded 0 failed 1 cancelled 0 retried 1")
				if got := tasksOf(t, e)[0].GetRetried(); got != 3 {
					t.Errorf("retried %d, want 3", got)
				}
				if took := time.Since(begun); took != 350*time.Millisecond {
					t.Errorf("took %s, want 50+100+200 ms", took)
				}
				want := "Task " + e.Name() + "-task0 failed with message: shim: connection refused"
				if tc.play.exit.Lost {
					want = "Task " + e.Name() + "-task0 failed with message: The end of the container was not seen; the attempt counts as failed."
				}
				if got := completed(t, status).GetMessage(); got != want {
					t.Errorf("message %q, want %q", got, want)
				}
			})
		})
	}
}

// When the keeper of all instances goes away, the execution fails with what
// was running, at once and for that reason.
func TestKeeperThatGoesAwayFailsTheExecution(t *testing.T) {
	var gone bool
	play := func(rruntime.Spec) script {
		if gone {
			return script{createErr: fmt.Errorf("create: %w", rruntime.ErrKeeperGone)}
		}
		return script{runs: time.Second, exit: contract.Exit{Lost: true}, deleteErrs: 1}
	}
	bubble(t, Config{Creating: 1, Ahead: 1}, play, func(t *testing.T, s *Scheduler, h *host) {
		begun := time.Now()
		e := begin(t, s, testJob(1000, 2, 3, time.Minute))
		<-time.After(500 * time.Millisecond)
		h.count(func() { gone = true })
		status := wait(t, e)
		check(t, status, "succeeded 0 failed 1000 cancelled 0 retried 0")
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
		if got := completed(t, status).GetMessage(); !strings.HasSuffix(got, "create: "+rruntime.ErrKeeperGone.Error()) {
			t.Errorf("message %q", got)
		}
	})
}

// An instance that turns out to have ended needs no stopping, whatever Stop
// says.
func TestStopThatComesTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, always(script{runs: time.Minute + time.Millisecond, stopErr: errors.New("no such process")}))
		s := New(somewhere(Config{Create: h.create, Budget: room(1)}))
		begun := time.Now()
		e, status := execute(t, s, testJob(1, 0, 0, time.Minute))
		check(t, status, "succeeded 0 failed 1 cancelled 0 retried 0")
		if got := tasksOf(t, e)[0].GetLastAttemptResult().GetStatus().GetCode(); got != contract.StatusDeadlineExceeded {
			t.Errorf("status %d", got)
		}
		if took := time.Since(begun); took > time.Minute+time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestHostThatRecoversIsForgiven(t *testing.T) {
	var broken bool
	play := func(rruntime.Spec) script {
		if broken {
			return script{createErr: errors.New("no space left on device")}
		}
		return script{runs: time.Second}
	}
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, h *host) {
		e := begin(t, s, testJob(40, 4, 10, time.Minute))
		<-time.After(1500 * time.Millisecond)
		h.count(func() { broken = true })
		<-time.After(time.Second)
		h.count(func() { broken = false })
		status := wait(t, e)
		if status.GetSucceededCount() != 40 || status.GetRetriedCount() == 0 {
			t.Errorf("succeeded %d, retried %d", status.GetSucceededCount(), status.GetRetriedCount())
		}
	})
}

// A success in between makes the next pause a short one.
func TestPausesStartAnew(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		if index, _ := indexOf(spec); index%2 == 0 {
			return script{waitErr: errors.New("shim: gone")}
		}
		return script{runs: time.Millisecond}
	}
	bubble(t, Config{Creating: 1, Ahead: 1}, play, func(t *testing.T, s *Scheduler, _ *host) {
		begun := time.Now()
		_, status := execute(t, s, testJob(40, 1, 0, time.Minute))
		check(t, status, "succeeded 20 failed 20 cancelled 0 retried 0")
		if took := time.Since(begun); took > 1100*time.Millisecond {
			t.Errorf("took %s, want about 20 times 50 ms", took)
		}
	})
}

func TestDeleteIsTriedAgain(t *testing.T) {
	bubble(t, Config{}, always(script{deleteErrs: 2}), func(t *testing.T, s *Scheduler, _ *host) {
		_, status := execute(t, s, testJob(3, 0, 0, time.Minute))
		check(t, status, "succeeded 3 failed 0 cancelled 0 retried 0")
	})
}

func TestWhatCannotBeDeletedIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, always(script{deleteErrs: 1000}))
		budget := room(1)
		s := New(somewhere(Config{Create: h.create, Budget: budget}))
		e := begin(t, s, testJob(2, 0, 0, time.Minute))
		status, err := e.Wait(t.Context())
		check(t, status, "succeeded 2 failed 0 cancelled 0 retried 0")
		for i := range 2 {
			if want := fmt.Sprintf("delete instance %s: device or resource busy", InstanceID(e.plan.x, i, 0)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if budget.Used() != (Resources{}) {
			t.Errorf("still reserved: %s", budget.Used())
		}
	})
}

// An instance that cannot be killed does not keep the execution for ever.
func TestWhatCannotBeStoppedIsLost(t *testing.T) {
	play := always(script{runs: 1000 * time.Hour, stopErr: errors.New("permission denied")})
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, play)
		s := New(somewhere(Config{Create: h.create, Budget: room(1)}))
		begun := time.Now()
		e := begin(t, s, testJob(1, 0, 0, time.Minute))
		status := wait(t, e)
		check(t, status, "succeeded 0 failed 1 cancelled 0 retried 0")
		if took := time.Since(begun); took > time.Minute+tries*retryPause {
			t.Errorf("took %s", took)
		}
		if got := completed(t, status).GetMessage(); !strings.HasSuffix(got, "-0-0: permission denied") {
			t.Errorf("message %q", got)
		}
		<-time.After(1000 * time.Hour) // lets the fake's timer end
	})
}

func TestTroubleAtCancellation(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		if index, _ := indexOf(spec); index == 0 {
			return script{runs: time.Hour}
		}
		return script{runs: time.Hour, waitErr: errors.New("shim: gone")}
	}
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, _ *host) {
		e := begin(t, s, testJob(2, 0, 1, 24*time.Hour))
		synctest.Wait()
		e.Cancel()
		status := wait(t, e)
		check(t, status, "succeeded 0 failed 0 cancelled 2 retried 0")
		if r := completed(t, status).GetExecutionReason(); r != runpb.Condition_CANCELLED {
			t.Errorf("reason %s", r)
		}
	})
}

// A task whose last attempt fails while the execution is being cancelled has
// failed, and the execution with it.
func TestFailureDuringCancellation(t *testing.T) {
	play := always(script{runs: time.Hour, waitErr: errors.New("shim: gone")})
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, _ *host) {
		e := begin(t, s, testJob(1, 0, 0, 24*time.Hour))
		synctest.Wait()
		e.Cancel()
		status := wait(t, e)
		check(t, status, "succeeded 0 failed 1 cancelled 0 retried 0")
		if r := completed(t, status).GetExecutionReason(); r != runpb.Condition_NON_ZERO_EXIT_CODE {
			t.Errorf("reason %s", r)
		}
	})
}

// Deletions that do not keep up hold creations back: what is on its way out
// never piles up.
func TestSlowDeletionHoldsCreationBack(t *testing.T) {
	play := always(script{runs: time.Second, deleteTakes: 10 * time.Second})
	bubble(t, Config{Creating: 2, Ahead: 2}, play, func(t *testing.T, s *Scheduler, h *host) {
		_, status := execute(t, s, testJob(50, 4, 0, time.Minute))
		check(t, status, "succeeded 50 failed 0 cancelled 0 retried 0")
		if h.mostCreated > 12 {
			t.Errorf("%d instances at once", h.mostCreated)
		}
	})
}

// A creation that hangs is an error of the host like others.
func TestCreationThatHangs(t *testing.T) {
	bubble(t, Config{}, always(script{createTakes: time.Hour}), func(t *testing.T, s *Scheduler, _ *host) {
		begun := time.Now()
		_, status := execute(t, s, testJob(1, 0, 0, time.Minute))
		check(t, status, "succeeded 0 failed 1 cancelled 0 retried 0")
		if took := time.Since(begun); took != createTimeout {
			t.Errorf("took %s", took)
		}
		if got := completed(t, status).GetMessage(); !strings.HasSuffix(got, context.DeadlineExceeded.Error()) {
			t.Errorf("message %q", got)
		}
	})
}
