package scheduler

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"runnel/contract"
)

// eventful plays an execution in which everything happens: successes, failures
// and retries, a timeout, memory, trouble of the host, and tasks that only a
// cancel ends.
func eventful(index, attempt int) script {
	s := script{createTakes: 20 * time.Millisecond, startTakes: time.Millisecond, deleteTakes: 10 * time.Millisecond, runs: time.Second}
	switch index {
	case 1:
		s.exit.Code = max(0, 2-attempt)
	case 2:
		s.runs, s.onTerm = time.Hour, &contract.Exit{Code: 7}
	case 3:
		s.exit = contract.Exit{Signal: 9, OOMKilled: true}
	case 4:
		if attempt == 0 {
			s.createErr = errors.New("disk full")
		}
	case 5:
		if attempt == 0 {
			s.waitErr = errors.New("exit lost")
		}
	case 6:
		s.runs, s.deaf = time.Hour, attempt == 0
	case 7:
		s.startErr = errors.New("device or resource busy")
	}
	return s
}

// The execution is cut off after each of its records in turn, and goes on with
// what was durable by then.
//
// contract: JOB-2, JOB-12, JOB-13, JOB-18, JOB-25
func TestCrashAfterEachRecord(t *testing.T) {
	t.Parallel()
	for _, fate := range []struct {
		name string
		// cancel is when the user cancels, down how long nobody is there; then
		// vanish takes the instances away.
		cancel, down time.Duration
		vanish       bool
	}{
		{"instances go on", time.Hour, time.Millisecond, false},
		{"instances end meanwhile", time.Hour, 5 * time.Second, false},
		{"nobody is there for hours", 4 * time.Hour, 3 * time.Hour, false},
		{"instances vanish", time.Hour, time.Second, true},
		{"cancelled, instances go on", 2500 * time.Millisecond, time.Millisecond, false},
		{"cancelled, instances end meanwhile", 2500 * time.Millisecond, 5 * time.Second, false},
		{"cancelled, instances vanish", 2500 * time.Millisecond, time.Second, true},
	} {
		t.Run(fate.name, func(t *testing.T) {
			t.Parallel()
			for limit := range 1000 {
				over := false
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, 3, testJob(12, 3, 2, 10*time.Second), eventful)
					w.journal.limit = limit
					over = w.crashWhenFull(fate.cancel, fate.down, fate.vanish)
				})
				if t.Failed() {
					t.Fatalf("crash after %d records", limit)
				}
				if over {
					if limit < 25 {
						t.Errorf("only %d records", limit)
					}
					return
				}
			}
			t.Error("the execution does not end")
		})
	}
}

// crashWhenFull runs the execution until the journal is full, crashes, and sees
// the rest through; true if the journal was never full. A user whose cancel was
// forgotten cancels again.
func (w *world) crashWhenFull(cancel, down time.Duration, vanish bool) bool {
	cancelled := time.AfterFunc(cancel, w.cancel)
	w.begin(3)
	select {
	case <-w.run.Done():
		w.scheduler.Wait()
		w.audit()
		return true
	case <-w.journal.full:
	}
	w.crash()
	if vanish {
		w.machine.vanish(func() bool { return true })
	}
	<-time.After(down)
	kept, past := w.journal.last(w.t, w.x)
	w.begin(1)
	w.machine.endSurvivors()
	if kept.GetGeneration() == 2 {
		cancelled.Stop()
	} else if !cancelled.Stop() {
		w.cancel()
	} else {
		cancelled.Reset(cancel)
		defer cancelled.Stop()
	}
	<-w.run.Done()
	w.scheduler.Wait()
	w.audit()
	if kept.GetGeneration() == 2 {
		w.checkCancelled(past)
	}
	return false
}

// checkCancelled checks that tasks that were waiting when the execution had been
// cancelled never began.
func (w *world) checkCancelled(past Past) {
	before := Tasks(w.x, 0, math.MaxInt32, past.Tasks)
	for i, task := range tasksOf(w.t, w.run) {
		state := TaskState(task.GetLabels()[StateLabel])
		if TaskState(before[i].GetLabels()[StateLabel]) == Pending && state != Cancelled {
			w.t.Errorf("task %d is %s", i, state)
		}
	}
}

// audit checks an execution that is over.
func (w *world) audit() {
	t := w.t
	t.Helper()
	status, err := w.run.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x, past := w.journal.last(t, w.x)
	if !proto.Equal(status, x) {
		t.Errorf("shown is\n%v\nrecorded is\n%v", status, x)
	}
	shown, kept := tasksOf(t, w.run), Tasks(x, 0, math.MaxInt32, past.Tasks)
	var counts Counts
	most := int(x.GetTemplate().GetMaxRetries()) + 1
	for i, task := range kept {
		if !proto.Equal(task, shown[i]) {
			t.Errorf("task %d: shown is\n%v\nrecorded is\n%v", i, shown[i], task)
		}
		state := TaskState(task.GetLabels()[StateLabel])
		if !state.Final() || task.GetCompletionTime() == nil {
			t.Errorf("task %d is %s", i, state)
		}
		counts.move(Pending, state)
		if task.GetRetried() > 0 {
			counts.Retried++
		}
		if int(task.GetRetried()) >= most {
			t.Errorf("task %d: %d retries", i, task.GetRetried())
		}
	}
	got := Counts{
		Running: int(x.GetRunningCount()), Succeeded: int(x.GetSucceededCount()), Failed: int(x.GetFailedCount()),
		Cancelled: int(x.GetCancelledCount()), Retried: int(x.GetRetriedCount()),
	}
	if got != counts || counts.Final() != int(x.GetTaskCount()) || x.GetCompletionTime() == nil {
		t.Errorf("counts %+v, tasks say %+v of %d", got, counts, x.GetTaskCount())
	}
	if done := completed(t, x); counts.Failed > 0 && counts.Cancelled == 0 && !strings.Contains(done.GetMessage(), " failed with ") {
		t.Errorf("the failure is not told: %v", done)
	}
	if counts.Cancelled > 0 && x.GetGeneration() != 2 {
		t.Errorf("%d tasks are cancelled, but not the execution: %v", counts.Cancelled, x)
	}
	w.machine.mu.Lock()
	defer w.machine.mu.Unlock()
	for id := range w.machine.bodies {
		t.Errorf("instance %s is left", id)
	}
	if used := w.config.Budget.Used(); used != (Resources{}) {
		t.Errorf("still reserved: %s", used)
	}
}
