package control_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
	"runnel/control/controltest"
	"runnel/store"
)

// removedLogs notes which instances' logs were removed.
type removedLogs struct {
	mu  sync.Mutex
	ids []string
}

func (r *removedLogs) remove(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, id)
	return nil
}

func (r *removedLogs) sorted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.ids))
}

func TestDeleteExecutionThatRuns(t *testing.T) {
	t.Parallel()
	var logs removedLogs
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.RemoveLogs = logs.remove }})
	name := w.Job("hello", 2)
	w.Instances.Always(controltest.Script{Hold: true})
	x, run := w.Run(name)
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() == 2 })
	list, err := w.Control.Instances(t.Context(), x.GetName())
	if err != nil || !list.More || len(list.Tasks) != 2 {
		t.Fatalf("instances: %v, %v", list, err)
	}
	got, op, err := w.Control.DeleteExecution(t.Context(), &runpb.DeleteExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetDeleteTime() == nil || op.GetDone() {
		t.Errorf("at once: %v", got)
	}
	if got = response[*runpb.Execution](t, w.WaitFor(op.GetName())); got.GetDeleteTime() == nil || completed(got).GetExecutionReason() != runpb.Condition_CANCELLED {
		t.Errorf("deleted: %v", got)
	}
	if op = w.WaitFor(run.GetName()); op.GetError() != nil {
		t.Errorf("operation of the run: %v", op)
	}
	w.Gone(x.GetName())
	if left := w.Instances.Left(); len(left) != 0 {
		t.Errorf("instances left: %v", left)
	}
	want := slices.Sorted(slices.Values([]string{list.Tasks[0].IDs[0], list.Tasks[1].IDs[0]}))
	if got := logs.sorted(); !slices.Equal(got, want) {
		t.Errorf("logs removed of %v, want %v", got, want)
	}
	if job := getJob(t, w, name); job.GetExecutionCount() != 0 || job.GetLatestCreatedExecution() != nil {
		t.Errorf("job: %v", job)
	}
	_, _, err = w.Control.DeleteExecution(t.Context(), &runpb.DeleteExecutionRequest{Name: x.GetName()})
	fails(t, err, codes.NotFound, "of kind 'EXECUTION'")
}

func TestDeletionOfAnEndedExecutionGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	var stuck atomic.Bool
	stuck.Store(true)
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) {
		c.RemoveLogs = func(string) error {
			if stuck.Load() {
				return errors.New("read-only file system")
			}
			return nil
		}
	}})
	name := w.Job("hello", 1)
	x, op := w.Run(name)
	w.WaitFor(op.GetName())
	_, op, err := w.Control.DeleteExecution(t.Context(), &runpb.DeleteExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	w.Restart()
	if got := w.Ended(x.GetName()); got.GetDeleteTime() == nil {
		t.Errorf("after the restart: %v", got)
	}
	stuck.Store(false)
	w.WaitFor(op.GetName())
	w.Gone(x.GetName())
}

// contract: JOB-30
func TestDeleteJobWithItsExecutions(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	other := w.Job("other", 1)
	ended, op := w.Run(name)
	w.WaitFor(op.GetName())
	kept, op := w.Run(other)
	w.WaitFor(op.GetName())
	w.Instances.Always(controltest.Script{Hold: true})
	running, _ := w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	job, op, err := w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if job.GetDeleteTime() == nil {
		t.Errorf("at once: %v", job)
	}
	if job = response[*runpb.Job](t, w.WaitFor(op.GetName())); job.GetDeleteTime() == nil {
		t.Errorf("deleted: %v", job)
	}
	_, err = w.Control.Job(t.Context(), name)
	fails(t, err, codes.NotFound, "")
	w.Gone(ended.GetName())
	w.Gone(running.GetName())
	w.Ended(kept.GetName())
	err = w.Store().View(func(tx *store.Tx) error {
		for _, kind := range []store.Kind{"jobs", "pins", "executions", "notes"} {
			for e := range tx.Newest(kind, "") {
				if !strings.HasPrefix(e.Name, other) {
					t.Errorf("left in the store: %s %s", kind, e.Name)
				}
			}
		}
		for range tx.Rows(ended.GetUid()) {
			t.Error("a task is left in the store")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := w.Instances.Left(); len(left) != 0 {
		t.Errorf("instances left: %v", left)
	}
	w.Job("hello", 1)
}

func TestJobThatIsBeingDeletedTakesNothingMore(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true, Deaf: true})
	w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	_, op, err := w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name})
	fails(t, err, codes.FailedPrecondition, "is being deleted")
	next := controltest.NewJob(1)
	next.Name = name
	_, _, err = w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next})
	fails(t, err, codes.FailedPrecondition, "is being deleted")
	w.Restart()
	if got := getJob(t, w, name); got.GetDeleteTime() == nil {
		t.Errorf("after a restart: %v", got)
	}
	w.Instances.Release()
	w.WaitFor(op.GetName())
}

func TestImagesThatNothingNeedsAreRemoved(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	first := w.Images.Digest(controltest.Image)
	w.Instances.Always(controltest.Script{Hold: true})
	x, _ := w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	w.Images.Push(controltest.Image)
	before := w.Images.Collections()
	next := controltest.NewJob(1)
	next.Name = name
	_, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Eventually("a collection", func() bool { return w.Images.Collections() > before })
	second := w.Images.Digest(controltest.Image)
	if stored := w.Images.Stored(); !slices.Contains(stored, first) || !slices.Contains(stored, second) {
		t.Errorf("while an execution needs the first: %v", stored)
	}
	w.Instances.Release()
	w.Ended(x.GetName())
	w.Eventually("the first image to go", func() bool { return slices.Equal(w.Images.Stored(), []string{second}) })
	_, op, err = w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Eventually("the second image to go", func() bool { return len(w.Images.Stored()) == 0 })
}
