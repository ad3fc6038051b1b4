package scheduler

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// Readers see what is durable at once, however far the execution has gone on,
// and however slow the disk is.
func TestReadersSeeWhatIsDurable(t *testing.T) {
	durable(t, 2, testJob(4, 2, 1, time.Hour), each(script{runs: time.Second}), func(t *testing.T, w *world) {
		<-time.After(500 * time.Millisecond)
		w.journal.hold()
		<-time.After(time.Hour)
		if _, n := w.journal.length(); n != 2 {
			t.Errorf("%d records wait, want two ends", n)
		}
		begun := time.Now()
		status := statusOf(t, w.run)
		if status.GetRunningCount() != 2 || status.GetSucceededCount() != 0 {
			t.Errorf("status %v", status)
		}
		states := make(map[string]int)
		for _, task := range tasksOf(t, w.run) {
			states[task.GetLabels()[StateLabel]]++
		}
		if states["Running"] != 2 || states["Pending"] != 2 {
			t.Errorf("states %v", states)
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("took %s", took)
		}
		w.journal.release()
		synctest.Wait()
		if status := statusOf(t, w.run); status.GetSucceededCount() != 2 || status.GetRunningCount() != 2 {
			t.Errorf("status %v", status)
		}
		check(t, wait(t, w.run), "succeeded 4 failed 0 cancelled 0 retried 0")
	})
}

// Whoever waits for the beginning sees it as soon as it is told.
func TestBeginningIsToldWhenItIsDurable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, testJob(1, 0, 0, time.Hour), each(script{runs: 2 * time.Hour}))
		w.journal.hold()
		w.begin(1)
		<-time.After(time.Minute)
		select {
		case <-w.run.Begun():
			t.Error("told before it is durable")
		default:
		}
		w.journal.release()
		<-w.run.Begun()
		if statusOf(t, w.run).GetStartTime() == nil {
			t.Error("told before it is seen")
		}
		check(t, wait(t, w.run), "succeeded 0 failed 1 cancelled 0 retried 0")
		w.scheduler.Wait()
	})
}

// An end is told and acknowledged only when it is durable, the last one too.
func TestEndWaitsForTheDisk(t *testing.T) {
	durable(t, 1, testJob(1, 0, 0, time.Hour), each(script{runs: time.Second}), func(t *testing.T, w *world) {
		synctest.Wait()
		w.journal.hold()
		<-time.After(time.Minute)
		w.machine.look(func() {
			if len(w.machine.bodies) != 1 || w.over() {
				t.Error("the instance is gone, or the execution over, before its end is durable")
			}
		})
		w.journal.release()
		<-w.run.Done()
		w.audit()
	})
}

// A cancel shows once it is durable, and no reader waits for the disk until then.
//
// contract: JOB-12
func TestCancelIsDurableWhenItShows(t *testing.T) {
	durable(t, 1, testJob(2, 1, 0, time.Hour), each(script{runs: time.Minute, deaf: true}), func(t *testing.T, w *world) {
		synctest.Wait()
		w.journal.hold()
		w.run.Cancel()
		begun := time.Now()
		status := statusOf(t, w.run)
		if took := time.Since(begun); took != 0 || completed(t, status).GetExecutionReason() != 0 || len(tasksOf(t, w.run)) != 2 {
			t.Errorf("before it is durable, after %s: %v", took, status)
		}
		w.journal.release()
		synctest.Wait()
		status = statusOf(t, w.run)
		if completed(t, status).GetExecutionReason() != runpb.Condition_CANCELLING {
			t.Errorf("status %v", status)
		}
		check(t, wait(t, w.run), "succeeded 0 failed 0 cancelled 2 retried 0")
	})
}

// A disk that hangs does not keep a task from being stopped.
//
// contract: JOB-13
func TestStopDoesNotWaitForTheDiskForEver(t *testing.T) {
	durable(t, 1, testJob(1, 0, 0, 10*time.Second), each(script{runs: time.Hour}), func(t *testing.T, w *world) {
		begun := time.Now()
		synctest.Wait()
		w.journal.hold()
		<-time.After(time.Minute)
		w.machine.look(func() {
			for _, b := range w.machine.bodies {
				if took := b.exit.At.Sub(begun); took != 10*time.Second+patience {
					t.Errorf("stopped after %s", took)
				}
			}
		})
		w.journal.release()
		check(t, wait(t, w.run), "succeeded 0 failed 1 cancelled 0 retried 0")
	})
}

// The view of a task goes through all its changes, one by one.
func TestViewCatchesUp(t *testing.T) {
	t.Parallel()
	j := newMemJournal()
	j.hold()
	var v view
	record := func(attempts int) TaskRecord { return TaskRecord{Index: 3, State: Running, Attempts: attempts} }
	for i := 1; i <= 3; i++ {
		v.add(change{ticket: j.Task(nil, record(i)), progress: progress{counts: Counts{Running: i}}, task: record(i)}, record(i-1))
	}
	for i := range 3 {
		v.catchUp()
		if got := v.older[3].record.Attempts; got != i || v.progress.counts.Running != i {
			t.Errorf("after %d changes: attempt %d, %+v", i, got, v.progress.counts)
		}
		j.mu.Lock()
		j.commit(i + 1)
		j.mu.Unlock()
	}
	v.catchUp()
	if len(v.older) != 0 || v.changes.len() != 0 || v.progress.counts.Running != 3 {
		t.Errorf("at the end: %+v", v)
	}
}

// Many readers do not hold the execution up, and each gets the page it wants.
func TestThousandReaders(t *testing.T) {
	t.Parallel()
	config := noopConfig()
	config.Journal = newMemJournal()
	s := New(config)
	e := begin(t, s, testJob(contract.MaxTasks, 0, 3, time.Minute))
	var readers sync.WaitGroup
	for i := range 1000 {
		readers.Go(func() {
			for range 5 {
				if _, err := e.Status(t.Context()); err != nil {
					t.Error(err)
				}
				tasks, err := e.Tasks(t.Context(), i*10-5, 10)
				if first := max(0, i*10-5); err != nil || len(tasks) != 10 || tasks[0].GetIndex() != int32(first) {
					t.Errorf("reader %d: %d tasks, %v", i, len(tasks), err)
				}
			}
		})
	}
	check(t, wait(t, e), "succeeded 10000 failed 0 cancelled 0 retried 0")
	readers.Wait()
	for _, tc := range []struct{ from, n, want int }{{9_995, 100, 5}, {10_000, 1, 0}, {-3, 2, 2}, {5, 0, 0}, {0, 10_000, 10_000}} {
		if tasks, err := e.Tasks(t.Context(), tc.from, tc.n); err != nil || len(tasks) != tc.want {
			t.Errorf("%d tasks from %d on: %d, %v", tc.n, tc.from, len(tasks), err)
		}
	}
	if task, err := e.Task(t.Context(), 10_000); task != nil || err != nil {
		t.Errorf("task %v, %v", task, err)
	}
	if task, err := e.Task(t.Context(), 7); task.GetIndex() != 7 || err != nil {
		t.Errorf("task %v, %v", task, err)
	}
}
