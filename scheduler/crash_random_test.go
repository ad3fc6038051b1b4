package scheduler

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"runnel/contract"
)

// TestRandomCrashes lets one process after the other go on with an execution,
// each until it dies at a random moment, over a disk that takes its time and on
// a machine on which anything goes wrong, and checks what must hold whatever
// happens. The machine checks that nothing happens before its record.
//
// contract: JOB-1, JOB-2, JOB-3, JOB-6, JOB-12, JOB-18, JOB-19, JOB-25
func TestRandomCrashes(t *testing.T) {
	t.Parallel()
	rounds := uint64(2000)
	if testing.Short() {
		rounds = 300
	}
	for seed := range rounds {
		synctest.Test(t, func(t *testing.T) { randomCrashes(t, rand.New(rand.NewPCG(seed, 1))) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func randomCrashes(t *testing.T, r *rand.Rand) {
	chance := rand.New(rand.NewPCG(r.Uint64(), 0)) // for the machine alone, under its lock
	play := func(int, int) script { return randomScript(chance) }
	job := testJob(1+r.IntN(30), r.IntN(6), r.IntN(4), time.Duration(1+r.IntN(20))*time.Second)
	w := newWorld(t, 8, job, play)
	disk := rand.New(rand.NewPCG(r.Uint64(), 0)) // under the journal's lock
	w.journal.delay = func() time.Duration { return time.Duration(disk.IntN(30)) * time.Millisecond }
	if r.IntN(3) == 0 {
		canceller := time.AfterFunc(time.Duration(1+r.IntN(40))*time.Second, w.cancel)
		defer canceller.Stop()
	}
	for range r.IntN(5) {
		w.begin(1 + r.IntN(8))
		w.machine.endSurvivors()
		if !w.live(time.Duration(r.IntN(8000)) * time.Millisecond) {
			break
		}
		w.crash()
		switch r.IntN(4) {
		case 0: // the machine went down
			w.machine.vanish(func() bool { return true })
		case 1:
			w.machine.vanish(func() bool { return r.IntN(3) == 0 })
		}
		<-time.After(time.Duration(r.IntN(r.IntN(10_000)+1)) * time.Millisecond)
	}
	if w.run == nil || !w.over() {
		w.begin(1 + r.IntN(8))
		w.machine.endSurvivors()
		w.live(1000 * time.Hour)
	}
	w.scheduler.Wait()
	w.audit()
	<-time.After(time.Minute) // lets timers end
}

func (w *world) over() bool {
	select {
	case <-w.run.Done():
		return true
	default:
		return false
	}
}

// live reads what is shown for a while, or until the execution is over; false
// if it is.
func (w *world) live(d time.Duration) bool {
	end := time.After(d)
	pause := 10 * time.Millisecond
	for {
		w.read()
		select {
		case <-end:
			return !w.over()
		case <-w.run.Done():
			return false
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		}
	}
}

// read checks that all that is shown is durable.
func (w *world) read() {
	ctx := context.Background()
	status, err := w.run.Status(ctx)
	if err != nil {
		w.t.Error(err)
	}
	if at := status.GetUpdateTime().AsTime(); at.Before(w.shown) {
		w.t.Errorf("update time goes back from %v to %v", w.shown, at)
	} else {
		w.shown = at
	}
	x, past := w.journal.last(w.t, w.x)
	var counts Counts
	for _, r := range past.Tasks {
		counts.move(Pending, r.State)
	}
	if n := int(status.GetSucceededCount()); n > counts.Succeeded {
		w.t.Errorf("%d successes are shown, %d are durable", n, counts.Succeeded)
	}
	if status.GetGeneration() > x.GetGeneration() || status.GetCompletionTime() != nil && x.GetCompletionTime() == nil {
		w.t.Errorf("shown is %v, durable %v", status, x)
	}
	tasks, err := w.run.Tasks(ctx, 0, contract.MaxTasks)
	if err != nil || len(tasks) != int(x.GetTaskCount()) {
		w.t.Errorf("%d tasks: %v", len(tasks), err)
	}
	for i, task := range tasks {
		state := TaskState(task.GetLabels()[StateLabel])
		if !w.journal.has(i, int(task.GetRetried()), state) {
			w.t.Errorf("task %d is shown as %s after %d retries, which was never durable", i, state, task.GetRetried())
		}
	}
}
