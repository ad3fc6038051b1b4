package scheduler

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// What another process has begun is judged as if it had been here all the time.
//
// contract: JOB-2, JOB-4, JOB-13, JOB-25
func TestAttemptThatOutlivesItsProcess(t *testing.T) {
	for _, tc := range []struct {
		name        string
		play        script
		crash, down time.Duration
		// after is when the attempt ends, from the beginning of the execution.
		after                time.Duration
		code, signal, status int32
	}{
		{"goes on and succeeds", script{runs: 8 * time.Second}, 4 * time.Second, time.Second, 8 * time.Second, 0, 0, 0},
		{"ends meanwhile", script{runs: 8 * time.Second, exit: contract.Exit{Code: 3}}, 4 * time.Second, time.Minute, 64 * time.Second, 3, 0, 10},
		{"succeeds long before anybody looks", script{runs: 8 * time.Second}, 4 * time.Second, time.Hour, time.Hour + 4*time.Second, 0, 0, 0},
		{"reaches its timeout", script{runs: time.Hour}, 4 * time.Second, 3 * time.Second, 10 * time.Second, 0, 15, 4},
		{"reaches its timeout meanwhile", script{runs: time.Hour}, 4 * time.Second, 30 * time.Second, 34 * time.Second, 0, 15, 4},
		{"is stopped again, with fresh grace", script{runs: time.Hour, deaf: true}, 15 * time.Second, time.Second, 26 * time.Second, 0, 9, 4},
		{"ends in its grace when nobody looks", script{runs: 17 * time.Second, deaf: true}, 15 * time.Second, time.Minute, 75 * time.Second, 0, 0, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			durable(t, 1, testJob(1, 0, 0, 10*time.Second), each(tc.play), func(t *testing.T, w *world) {
				begun := time.Now()
				<-time.After(tc.crash)
				w.restart(1, tc.down)
				wait(t, w.run)
				task := tasksOf(t, w.run)[0]
				if took := task.GetCompletionTime().AsTime().Sub(begun); took != tc.after {
					t.Errorf("ended after %s, want %s", took, tc.after)
				}
				r := task.GetLastAttemptResult()
				if r.GetExitCode() != tc.code || r.GetTermSignal() != tc.signal || r.GetStatus().GetCode() != tc.status {
					t.Errorf("result %v", r)
				}
				if n := w.machine.instances(); n != 1 {
					t.Errorf("%d instances", n)
				}
				w.audit()
			})
		})
	}
}

// An attempt has its time by the clock that nobody sets.
//
// contract: ATK-36
func TestClockIsSetWhileNobodyLooks(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"ahead": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1, testJob(1, 0, 0, 10*time.Second), each(script{runs: 2 * time.Hour}))
				booted := time.Now().Add(-time.Minute)
				w.config.Uptime = func() time.Duration { return time.Since(booted) }
				w.begin(1)
				begun := time.Now()
				<-time.After(4 * time.Second)
				w.journal.setClock(ahead)
				w.restart(1, 3*time.Second)
				wait(t, w.run)
				if took := time.Since(begun); took != 10*time.Second || w.machine.instances() != 1 {
					t.Errorf("ended after %s, want its ten seconds; %d instances", took, w.machine.instances())
				}
				w.scheduler.Wait()
			})
		})
	}
}

// An attempt that is recorded but was never started begins when it is found,
// and has its full time from then on, in that process and in later ones.
//
// contract: JOB-4
func TestAttemptThatWasNeverStarted(t *testing.T) {
	play := each(script{startTakes: time.Second, runs: time.Hour})
	durable(t, 1, testJob(1, 0, 0, 10*time.Second), play, func(t *testing.T, w *world) {
		<-time.After(500 * time.Millisecond)
		w.restart(1, time.Hour)
		found := time.Now()
		<-time.After(5 * time.Second)
		w.restart(1, time.Second)
		check(t, wait(t, w.run), "succeeded 0 failed 1 cancelled 0 retried 0")
		if took := time.Since(found); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("ran for %s, want 10 s", took)
		}
		if n := w.machine.instances(); n != 1 {
			t.Errorf("%d instances", n)
		}
	})
}

// What is not found any more has failed, and is tried again as far as that is
// allowed.
//
// contract: JOB-2, JOB-25
func TestAttemptThatIsGone(t *testing.T) {
	play := each(script{runs: time.Minute})
	durable(t, 2, testJob(2, 0, 1, time.Hour), play, func(t *testing.T, w *world) {
		for range 2 {
			<-time.After(time.Second)
			if n := statusOf(t, w.run).GetRunningCount(); n != 2 {
				t.Fatalf("%d run", n)
			}
			w.crash()
			w.machine.vanish(func() bool { return true })
			w.begin(2)
		}
		status := wait(t, w.run)
		check(t, status, "succeeded 0 failed 2 cancelled 0 retried 2")
		want := "failed with message: The end of the container was not seen; the attempt counts as failed."
		if got := completed(t, status).GetMessage(); !strings.HasSuffix(got, want) {
			t.Errorf("message %q", got)
		}
	})
}

// An instance that may still run, but cannot be taken over, is not run beside.
func TestAttemptThatCannotBeAdopted(t *testing.T) {
	durable(t, 2, testJob(3, 2, 3, time.Hour), each(script{runs: time.Minute}), func(t *testing.T, w *world) {
		<-time.After(time.Second)
		w.machine.look(func() { w.machine.adoptErr = errors.New("protocol error") })
		w.crash()
		w.begin(2)
		status, err := w.run.Wait(t.Context())
		check(t, status, "succeeded 0 failed 3 cancelled 0 retried 0")
		if err == nil || strings.Count(err.Error(), "adopt instance migrate-") != 2 {
			t.Errorf("leftovers: %v", err)
		}
		if got := w.config.Budget.Capacity(); got != (Resources{}) {
			t.Errorf("the host offers %s", got)
		}
	})
}

// A host that has shrunk keeps what runs, and begins nothing before that has
// made room.
func TestAdoptionNeedsNoRoom(t *testing.T) {
	durable(t, 4, testJob(6, 0, 0, time.Hour), each(script{runs: 10 * time.Second}), func(t *testing.T, w *world) {
		begun := time.Now()
		<-time.After(time.Second)
		w.restart(1, time.Second)
		if n := statusOf(t, w.run).GetRunningCount(); n != 4 {
			t.Errorf("%d run, want 4", n)
		}
		if used := w.config.Budget.Used(); used != room(4).Capacity() {
			t.Errorf("%s are used", used)
		}
		check(t, wait(t, w.run), "succeeded 6 failed 0 cancelled 0 retried 0")
		if took := time.Since(begun); took != 30*time.Second {
			t.Errorf("took %s, want 30s", took)
		}
		w.audit()
	})
}

// Instances that were only prepared are used, or make way.
func TestPreparedInstances(t *testing.T) {
	durable(t, 1, testJob(4, 0, 0, time.Hour), each(script{runs: 10 * time.Second}), func(t *testing.T, w *world) {
		<-time.After(time.Second)
		if n := w.machine.instances(); n != 3 {
			t.Fatalf("%d instances, want one that runs and two ahead", n)
		}
		w.crash()
		w.begin(1)
		synctest.Wait()
		w.machine.endSurvivors()
		check(t, wait(t, w.run), "succeeded 4 failed 0 cancelled 0 retried 0")
		if n := w.machine.instances(); n != 4 {
			t.Errorf("%d instances for 4 tasks", n)
		}
	})
}

func TestInstanceInTheWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, always(script{}))
		gone := time.Now().Add(5 * time.Second)
		create := func(ctx context.Context, spec rruntime.Spec) (Instance, error) {
			if time.Now().Before(gone) {
				return nil, rruntime.ErrExists
			}
			return h.create(ctx, spec)
		}
		s := New(somewhere(Config{Create: create, Budget: room(1)}))
		_, status := execute(t, s, testJob(1, 0, 0, time.Minute))
		check(t, status, "succeeded 1 failed 0 cancelled 0 retried 0")
	})
}

// A cancel goes on in the next process: SIGTERM again, the grace anew, and
// nothing more begins.
//
// contract: JOB-12
func TestCancelThatOutlivesItsProcess(t *testing.T) {
	for name, past := range map[string]bool{"as recorded": false, "as the caller says": true} {
		t.Run(name, func(t *testing.T) {
			play := each(script{runs: time.Hour, deaf: true})
			durable(t, 2, testJob(5, 0, 3, 24*time.Hour), play, func(t *testing.T, w *world) {
				<-time.After(time.Second)
				if !past {
					w.run.Cancel()
				}
				<-time.After(4 * time.Second)
				w.crash()
				w.life = w.machine.next()
				w.config.Create, w.config.Adopt = w.life.create, w.life.adopt
				w.scheduler = New(w.config)
				x, p := w.journal.last(t, w.x)
				p.Cancelling = past
				begun := time.Now()
				var err error
				if w.run, err = w.scheduler.Run(t.Context(), x, &rimage.Image{}, p); err != nil {
					t.Fatal(err)
				}
				status := statusOf(t, w.run)
				if c := completed(t, status); c.GetExecutionReason() != runpb.Condition_CANCELLING || status.GetGeneration() != 2 {
					t.Errorf("status %v", status)
				}
				check(t, wait(t, w.run), "succeeded 0 failed 0 cancelled 5 retried 0")
				if took := time.Since(begun); took != contract.GracePeriod {
					t.Errorf("took %s", took)
				}
				for _, task := range tasksOf(t, w.run) {
					r := task.GetLastAttemptResult()
					if killed := r.GetTermSignal() == int32(syscall.SIGKILL); killed != (task.GetStartTime() != nil) || r.GetStatus().GetCode() != 1 {
						t.Errorf("result %v", r)
					}
				}
				if n := w.machine.instances(); n > 4 {
					t.Errorf("%d instances", n)
				}
			})
		})
	}
}

// What had ended when the cancel came too late for anybody to see it, was not
// cancelled.
func TestSuccessThatNobodySawIsNoCancel(t *testing.T) {
	durable(t, 2, testJob(1, 0, 0, time.Hour), each(script{runs: 5 * time.Second}), func(t *testing.T, w *world) {
		<-time.After(time.Second)
		w.crash()
		<-time.After(time.Minute)
		w.begin(2)
		w.run.Cancel()
		check(t, wait(t, w.run), "succeeded 1 failed 0 cancelled 0 retried 0")
	})
}

// An execution that was given up stays so.
func TestHopelessnessOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for limit := range 8 {
		synctest.Test(t, func(t *testing.T) {
			cause := rruntime.ErrUnstartable
			w := newWorld(t, 1, testJob(5, 1, 3, time.Minute), each(script{startErr: cause, createTakes: time.Millisecond}))
			w.journal.limit = limit
			w.begin(1)
			select {
			case <-w.journal.full:
				w.restart(1, time.Second)
			case <-w.run.Done():
				t.Errorf("%d records are enough", limit)
			}
			created := w.machine.instances()
			status := wait(t, w.run)
			check(t, status, "succeeded 0 failed 5 cancelled 0 retried 0")
			if got := completed(t, status).GetMessage(); !strings.HasSuffix(got, " failed with message: "+cause.Error()) {
				t.Errorf("limit %d: message %q", limit, got)
			}
			// The third record is the first attempt's end.
			if n := w.machine.instances() - created; limit > 2 && n != 0 {
				t.Errorf("limit %d: %d more instances", limit, n)
			}
		})
	}
}

// No task is recorded as stopped by a cancel that the execution's own record
// does not know of.
//
// contract: JOB-12
func TestCancelIsRecordedBeforeItsStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, testJob(1, 0, 0, time.Hour), nil)
		l := newLoop(New(w.config), newExecution(newPlan(w.x)))
		l.abandon = func() {}
		l.tasks = l.plan.arrange([]TaskRecord{{State: Running, Attempts: 1}})
		l.stopping(t.Context(), new(attempt), contract.Exit{Cancelled: true})
		if x := w.journal.entries[0].execution; x.GetGeneration() != 2 {
			t.Errorf("the first record is %+v", w.journal.entries[0])
		}
	})
}

// Records that nobody could have written do not keep an execution from its end.
func TestStrangeRecords(t *testing.T) {
	bubble(t, Config{}, always(script{}), func(t *testing.T, s *Scheduler, _ *host) {
		x, err := s.NewExecution(testJob(3, 0, 0, time.Hour), "")
		if err != nil {
			t.Fatal(err)
		}
		past := Past{Tasks: []TaskRecord{{Index: -1}, {Index: 7, State: Failed}, {Index: 0, State: Running}, {Index: 2, State: "Abandoned"}}}
		e, err := s.Run(t.Context(), x, &rimage.Image{}, past)
		if err != nil {
			t.Fatal(err)
		}
		check(t, wait(t, e), "succeeded 3 failed 0 cancelled 0 retried 0")
	})
}

// An execution whose tasks have all ended, but not it, is completed.
func TestEndThatWasNotRecorded(t *testing.T) {
	durable(t, 1, testJob(1, 0, 0, time.Minute), each(script{runs: time.Second}), func(t *testing.T, w *world) {
		wait(t, w.run)
		ended := w.run.final.completed
		x, past := w.journal.last(t, w.x)
		if x.GetCompletionTime() == nil || len(past.Tasks) != 1 {
			t.Fatalf("recorded are %v and %v", x, past)
		}
		<-time.After(time.Hour)
		for _, x := range []*runpb.Execution{w.x, x} {
			e, err := w.scheduler.Run(t.Context(), x, &rimage.Image{}, past)
			if err != nil {
				t.Fatal(err)
			}
			status := wait(t, e)
			check(t, status, "succeeded 1 failed 0 cancelled 0 retried 0")
			if !status.GetCompletionTime().AsTime().Equal(ended) {
				t.Errorf("completed at %v, want %v", status.GetCompletionTime(), ended)
			}
		}
	})
}

// With a journal the keeper's end costs the attempts that ran, not the
// execution: another one comes.
func TestKeeperThatIsReplaced(t *testing.T) {
	gone := false
	play := func(_, attempt int) script {
		if gone && attempt == 0 {
			return script{startErr: rruntime.ErrKeeperGone}
		}
		return script{runs: time.Second}
	}
	durable(t, 2, testJob(6, 2, 2, time.Minute), play, func(t *testing.T, w *world) {
		<-time.After(500 * time.Millisecond)
		w.machine.look(func() { gone = true })
		status := wait(t, w.run)
		if status.GetSucceededCount() != 6 || status.GetRetriedCount() == 0 {
			t.Errorf("succeeded %d, retried %d", status.GetSucceededCount(), status.GetRetriedCount())
		}
		w.audit()
	})
}
