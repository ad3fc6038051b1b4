package control_test

import (
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
	"runnel/control/controltest"
)

// contract: JOB-29
func TestScheduleRunsItsJobAtEachTick(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("hourly", job)
	if got := w.get(name); !got.GetScheduleTime().AsTime().Equal(hour(10)) || got.GetState() != schedulerpb.Job_ENABLED || got.GetLastAttemptTime() != nil {
		t.Errorf("before the first tick: %v", got)
	}
	w.pass(30 * time.Minute)
	w.set(hour(10))
	w.after(name, 1)
	w.set(hour(11).Add(10 * time.Second))
	runs := w.after(name, 2)
	for i, want := range []time.Time{hour(11), hour(10)} {
		if !runs[i].Scheduled.Equal(want) || runs[i].Missed != 0 || runs[i].Code != codes.OK {
			t.Errorf("run %d: %+v", i, runs[i])
		}
		x := w.Ended(runs[i].Execution)
		if x.GetCreator() != control.Administrator || x.GetSucceededCount() != 1 {
			t.Errorf("execution %v", x)
		}
		if got := w.Control.ResultOf(runs[i]); got != "succeeded" {
			t.Errorf("result %q", got)
		}
	}
	got := w.get(name)
	if !got.GetScheduleTime().AsTime().Equal(hour(12)) || got.GetStatus().GetCode() != 0 || got.GetStatus() == nil || got.GetLastAttemptTime() == nil {
		t.Errorf("after two ticks: %v", got)
	}
	if n := len(executionsOf(t, w.World, job)); n != 2 {
		t.Errorf("%d executions", n)
	}
}

// contract: KF-11
func TestOfMissedTicksTheNewestIsRun(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("hourly", job)
	w.Stop()
	w.set(hour(12).Add(20 * time.Minute))
	w.Resume()
	runs := w.after(name, 1)
	if !runs[0].Scheduled.Equal(hour(12)) || runs[0].Missed != 2 {
		t.Errorf("caught up: %+v", runs[0])
	}
	w.Restart()
	w.set(hour(12).Add(50 * time.Minute))
	w.set(hour(13))
	if runs = w.after(name, 2); !runs[0].Scheduled.Equal(hour(13)) || runs[0].Missed != 0 {
		t.Errorf("and then: %+v", runs[0])
	}
}

// contract: KF-10
func TestPoliciesForRunsThatOverlap(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"Allow", "forbid", "Replace"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			w := newScheduled(t)
			job := w.Job("etl", 1)
			w.Instances.Always(controltest.Script{Hold: true})
			name := w.schedule("hourly", job, func(s *schedulerpb.Job) { s.Target = target(job, "runnel-concurrency-policy", policy) })
			w.set(hour(10))
			first := w.after(name, 1)[0].Execution
			w.Execution(first, func(x *runpb.Execution) bool { return x.GetRunningCount() == 1 })
			// An attempt is counted before its process starts.
			w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
			w.set(hour(11))
			second := w.after(name, 2)[0]
			switch x, err := w.Control.Execution(t.Context(), first); {
			case err != nil:
				t.Fatal(err)
			case policy == "Allow":
				if second.Execution == "" || x.GetCompletionTime() != nil {
					t.Errorf("%+v, the first: %v", second, x)
				}
			case policy == "forbid":
				if second.Execution != "" || second.Code != codes.FailedPrecondition || x.GetCompletionTime() != nil {
					t.Errorf("%+v, the first: %v", second, x)
				}
				if got := w.get(name); got.GetStatus().GetCode() != int32(codes.FailedPrecondition) {
					t.Errorf("status %v", got.GetStatus())
				}
			default:
				if second.Execution == "" || x.GetCancelledCount() != 1 {
					t.Errorf("%+v, the first: %v", second, x)
				}
			}
			w.Instances.Always(controltest.Script{})
			w.Instances.Release()
			w.Ended(first)
			if again := w.run(name); policy == "forbid" && again.GetStatus().GetCode() != 0 {
				t.Errorf("after the first has ended: %v", again)
			}
		})
	}
}
