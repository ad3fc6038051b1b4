package scheduler

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// An attempt that nobody has seen end may still run. The next one of its task
// begins once it is gone, and until then it counts among those that run.
func TestNextAttemptWaitsForOneThatMayStillRun(t *testing.T) {
	gone := errors.New("shim: deadline exceeded")
	for _, tc := range []struct {
		name string
		play script
	}{
		{"start", script{startErr: gone}},
		{"wait", script{waitErr: gone}},
		{"lost", script{exit: contract.Exit{Lost: true}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.play.deleteTakes = 3 * time.Second
			bubble(t, Config{Creating: 1, Ahead: 1}, always(tc.play), func(t *testing.T, s *Scheduler, h *host) {
				begun := time.Now()
				_, status := execute(t, s, testJob(1, 1, 3, time.Minute))
				check(t, status, "succeeded 0 failed 1 cancelled 0 retried 1")
				if h.mostCreated != 1 {
					t.Errorf("%d attempts of one task at once", h.mostCreated)
				}
				if took := time.Since(begun); took < 4*3*time.Second {
					t.Errorf("four attempts took %v", took)
				}
			})
		})
	}
}

// An attempt that ended before everybody's eyes need not be gone: the next one
// does not wait.
func TestNextAttemptDoesNotWaitForOneThatHasEnded(t *testing.T) {
	play := always(script{exit: contract.Exit{Code: 1}, deleteTakes: time.Minute})
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, _ *host) {
		e := begin(t, s, testJob(1, 1, 3, time.Minute))
		<-time.After(time.Second)
		check(t, statusOf(t, e), "succeeded 0 failed 1 cancelled 0 retried 1")
	})
}

// stuck plays a host on which the first task's instance is lost and cannot be
// deleted.
func stuck(spec rruntime.Spec) script {
	if index, _ := indexOf(spec); index == 0 {
		return script{waitErr: errors.New("shim: gone"), deleteErrs: 1000}
	}
	return script{runs: time.Second}
}

func TestWhatCannotBeGotRidOfKeepsItsRoomAndFailsItsTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, stuck)
		budget := room(3)
		s := New(somewhere(Config{Create: h.create, Budget: budget}))
		e := begin(t, s, testJob(10, 0, 3, time.Minute))
		status, err := e.Wait(t.Context())
		check(t, status, "succeeded 9 failed 1 cancelled 0 retried 0")
		if err == nil || !strings.Contains(err.Error(), "delete instance "+InstanceID(e.plan.x, 0, 0)+": ") {
			t.Errorf("leftovers: %v", err)
		}
		if got, want := budget.Capacity(), room(2).Capacity(); got != want || budget.Used() != (Resources{}) {
			t.Errorf("the host offers %s, of which %s are used; want %s", got, budget.Used(), want)
		}
	})
}

// Nobody waits for room that will never be free again.
func TestExecutionsEndWhenNoRoomIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, stuck)
		s := New(somewhere(Config{Create: h.create, Budget: room(1), Creating: 1, Ahead: 1}))
		unlucky := begin(t, s, testJob(3, 0, 3, time.Minute))
		synctest.Wait()
		neighbour := begin(t, s, testJob(1, 0, 3, time.Minute))
		for want, e := range map[string]*Execution{
			"succeeded 0 failed 3 cancelled 0 retried 0": unlucky,
			"succeeded 0 failed 1 cancelled 0 retried 0": neighbour,
		} {
			status, _ := e.Wait(t.Context())
			check(t, status, want)
			tasks := tasksOf(t, e)
			last := tasks[len(tasks)-1].GetLastAttemptResult().GetStatus().GetMessage()
			if !strings.Contains(last, "this host offers 0 CPU and 0") {
				t.Errorf("the last task failed because of %q", last)
			}
		}
	})
}

// What keeps a job from running is known before its image is.
func TestCheckNeedsNoImage(t *testing.T) {
	t.Parallel()
	s := New(somewhere(Config{Budget: room(1)}))
	job := testJob(1, 0, 0, time.Minute)
	if err := s.Check(job); err != nil {
		t.Error(err)
	}
	job.Template.Template.Containers[0].Resources.Limits["cpu"] = "8"
	if err := s.Check(job); !errors.As(err, new(*CapacityError)) {
		t.Errorf("8 CPU: %v", err)
	}
	nowhere := New(somewhere(Config{Budget: room(1), ProjectNumber: func(string) string { return "abc" }, Region: "a/b"}))
	err := nowhere.Check(testJob(1, 0, 0, time.Minute))
	if err == nil || !strings.Contains(err.Error(), `project number "abc"`) || !strings.Contains(err.Error(), `region "a/b"`) {
		t.Errorf("got %v", err)
	}
}
