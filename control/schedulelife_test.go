package control_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
	"runnel/control/controltest"
)

// contract: KF-11
func TestPausedScheduleRunsNothingAndCatchesNothingUp(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("hourly", job)
	paused, err := w.Control.PauseSchedule(t.Context(), name)
	if err != nil || paused.GetState() != schedulerpb.Job_PAUSED || paused.GetScheduleTime() != nil {
		t.Errorf("paused: %v, %v", paused, err)
	}
	_, err = w.Control.PauseSchedule(t.Context(), name)
	fails(t, err, codes.FailedPrecondition, "must be ENABLED")
	w.set(hour(11))
	w.Restart()
	w.set(hour(12).Add(time.Minute))
	w.run(name) // by hand it does
	resumed, err := w.Control.ResumeSchedule(t.Context(), name)
	if err != nil || !resumed.GetScheduleTime().AsTime().Equal(hour(13)) {
		t.Errorf("resumed: %v, %v", resumed, err)
	}
	_, err = w.Control.ResumeSchedule(t.Context(), name)
	fails(t, err, codes.FailedPrecondition, "must be PAUSED")
	w.set(hour(13))
	runs := w.after(name, 2)
	if !runs[0].Scheduled.Equal(hour(13)) || runs[0].Missed != 0 || !runs[1].Scheduled.IsZero() {
		t.Errorf("runs: %+v", runs)
	}
}

// The placeholder of a job that is suspended never comes, and may be kept as
// long as it is paused.
// contract: KF-10
func TestScheduleThatNeverComes(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("placeholder", job, func(s *schedulerpb.Job) { s.Schedule, s.State = "0 0 30 2 *", schedulerpb.Job_PAUSED })
	_, err := w.Control.ResumeSchedule(t.Context(), name)
	fails(t, err, codes.FailedPrecondition, "never comes")
	if _, err := w.Control.UpdateSchedule(t.Context(), &schedulerpb.UpdateJobRequest{Job: &schedulerpb.Job{Name: name, Schedule: "0 * * * *", Target: target(job)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Control.ResumeSchedule(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	w.set(hour(10))
	w.after(name, 1)
}

// contract: ATK-36
func TestClockThatIsSet(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("hourly", job)
	w.set(hour(10))
	w.after(name, 1)
	w.set(hour(9).Add(59 * time.Minute)) // a little back: ten comes again, and is not run again
	w.set(hour(10).Add(time.Minute))
	w.set(hour(11))
	if run := w.after(name, 2)[0]; !run.Scheduled.Equal(hour(11)) || run.Missed != 0 {
		t.Errorf("after a little back: %+v", run)
	}
	w.set(hour(11).AddDate(1, 0, 0)) // far ahead, by mistake
	w.after(name, 3)
	w.set(hour(11).Add(30 * time.Minute)) // and back
	if got := w.run(name); !got.GetScheduleTime().AsTime().Equal(hour(12)) {
		t.Errorf("after a year back: %v", got)
	}
	w.set(hour(12))
	if run := w.after(name, 5)[0]; !run.Scheduled.Equal(hour(12)) {
		t.Errorf("after a year back: %+v", run)
	}
}

func TestDeletedScheduleLeavesItsExecutions(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	name := w.schedule("hourly", job)
	w.set(hour(10))
	x := w.after(name, 1)[0].Execution
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	if err := w.Control.DeleteSchedule(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	fails(t, w.Control.DeleteSchedule(t.Context(), name), codes.NotFound, "Schedule 'hourly'")
	_, err := w.Control.RunSchedule(t.Context(), name)
	fails(t, err, codes.NotFound, "Schedule 'hourly'")
	w.set(hour(12))
	w.Instances.Release()
	w.Ended(x)
	if n := len(executionsOf(t, w.World, job)); n != 1 {
		t.Errorf("%d executions", n)
	}
	if again := w.schedule("hourly", job); len(w.runs(again)) != 0 {
		t.Errorf("a new one has the old one's history: %+v", w.runs(again))
	}
}

// Whoever asks gets a run, however many do, and the last hundred are remembered.
func TestRunsThatAreAskedForAtOnce(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("hourly", job)
	const n = 120
	var all sync.WaitGroup
	for i := range n / 10 {
		all.Go(func() {
			for range 10 {
				if got, err := w.Control.RunSchedule(t.Context(), name); err != nil || got.GetStatus().GetCode() != 0 {
					t.Errorf("%d: %v, %v", i, got, err)
				}
			}
		})
	}
	all.Wait()
	if got := len(executionsOf(t, w.World, job)); got != n {
		t.Errorf("%d executions, want %d", got, n)
	}
	runs := w.after(name, 100)
	for i := range runs[1:] {
		if runs[i].Attempted.Before(runs[i+1].Attempted) {
			t.Errorf("run %d is newer than %d", i+1, i)
		}
	}
}

func TestAsManySchedulesAsMayBe(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.Schedules = 3 }})
	for i := range 4 {
		_, err := w.Control.CreateSchedule(t.Context(), &schedulerpb.CreateJobRequest{Parent: parent, Job: &schedulerpb.Job{
			Name: fmt.Sprint(parent, "/jobs/s", i), Schedule: "@daily", Target: target(parent + "/jobs/etl"),
		}})
		if i < 3 && err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			fails(t, err, codes.ResourceExhausted, "There are 3 schedules")
		}
	}
	var names []string
	for token := ""; ; {
		page, next, err := w.Control.Schedules(t.Context(), control.Query[*schedulerpb.Job]{Parent: "projects/local/locations/-", PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page {
			names = append(names, s.GetName())
		}
		if token = next; token == "" {
			break
		}
	}
	if len(names) != 3 {
		t.Errorf("listed %q", names)
	}
}

// A run that replaces another goes on waiting for its end when the daemon has
// been restarted, and there is one.
func TestReplacingAcrossARestart(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	w.Instances.Always(controltest.Script{Hold: true, Deaf: true})
	name := w.schedule("hourly", job, func(s *schedulerpb.Job) { s.Target = target(job, "Runnel-Concurrency-Policy", "Replace") })
	w.set(hour(10))
	first := w.after(name, 1)[0].Execution
	w.Execution(first, func(x *runpb.Execution) bool { return x.GetRunningCount() == 1 })
	// An attempt is counted before its process starts.
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	asked := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := w.Control.RunSchedule(ctx, name)
		asked <- err
	}()
	w.Execution(first, func(x *runpb.Execution) bool { return completed(x).GetExecutionReason() == runpb.Condition_CANCELLING })
	cancel() // who asked has gone; what was asked for has not
	if err := <-asked; err == nil {
		t.Error("the caller was answered before the first had ended")
	}
	w.Instances.Always(controltest.Script{})
	// Its end comes while the daemon goes, or soon after.
	time.AfterFunc(50*time.Millisecond, w.Instances.Release)
	w.Restart()
	run := w.after(name, 2)[0]
	if x := w.Ended(run.Execution); !run.Scheduled.IsZero() || x.GetSucceededCount() != 1 {
		t.Errorf("%+v, %v", run, x)
	}
}
