package scheduler

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// TestRandomExecutions lets several executions of random jobs share a small
// host, on which anything may go wrong at any time and which are cancelled at
// any time, and checks what must hold whatever happens.
//
// contract: JOB-1, JOB-2, JOB-3, JOB-6, JOB-12, JOB-18, JOB-19
func TestRandomExecutions(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) { randomExecutions(t, rand.New(rand.NewPCG(seed, 0))) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func randomExecutions(t *testing.T, r *rand.Rand) {
	slots := 1 + r.IntN(8)
	chance := rand.New(rand.NewPCG(r.Uint64(), 0)) // for the host alone
	h := newHost(t, func(rruntime.Spec) script { return randomScript(chance) })
	j := &journal{t: t, executions: make(map[string]*ledger)}
	config := Config{Create: h.create, Budget: room(slots), Creating: 1 + r.IntN(4), Ahead: 1 + r.IntN(4), Observe: j.observe}
	s := New(somewhere(config))
	type run struct {
		*Execution
		job *runpb.Job
	}
	var runs []run
	for range 1 + r.IntN(3) {
		job := testJob(1+r.IntN(40), r.IntN(6), r.IntN(4), time.Duration(1+r.IntN(20))*time.Second)
		e := begin(t, s, job)
		runs = append(runs, run{e, job})
		<-time.After(time.Duration(r.IntN(2000)) * time.Millisecond)
		switch r.IntN(4) {
		case 0:
			e.Cancel()
		case 1:
			delay := time.Duration(r.IntN(60_000)) * time.Millisecond
			kill := r.IntN(2) == 0
			time.AfterFunc(delay, func() {
				e.Cancel()
				if kill {
					e.Kill()
				}
			})
		}
	}
	for _, run := range runs {
		status, err := run.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		j.audit(run.Execution, run.job, status)
	}
	s.Wait()
	h.clean()
	if used := config.Budget.Used(); used != (Resources{}) {
		t.Errorf("still reserved: %s", used)
	}
	if h.mostRunning > slots {
		t.Errorf("%d ran at once on a host for %d", h.mostRunning, slots)
	}
	if h.mostCreating > config.Creating || h.mostDeleting > config.Creating {
		t.Errorf("%d created and %d deleted at once, want %d", h.mostCreating, h.mostDeleting, config.Creating)
	}
	<-time.After(time.Minute) // lets the timers above end
}

func randomScript(r *rand.Rand) script {
	ms := func(n int) time.Duration { return time.Duration(r.IntN(n)) * time.Millisecond }
	s := script{createTakes: ms(50), startTakes: ms(2), deleteTakes: ms(20), runs: ms(3000), deaf: r.IntN(3) == 0}
	switch r.IntN(40) {
	case 0:
		s.createErr = errors.New("disk full")
	case 1:
		s.startErr = errors.New("shim gone")
	case 2:
		s.waitErr = errors.New("exit lost")
	case 3:
		s.runs = time.Hour
	case 4:
		s.deleteErrs = 1
	case 5, 6, 7, 8:
		s.exit.Code = 1 + r.IntN(255)
	case 9, 10:
		s.exit = contract.Exit{Signal: syscall.SIGKILL, OOMKilled: true}
	case 11:
		s.runs, s.onTerm = time.Hour, &contract.Exit{Code: 7}
	}
	if r.IntN(3000) == 0 {
		s.createErr = rruntime.ErrUnstartable
	}
	return s
}

// journal follows executions by their events alone.
type journal struct {
	t *testing.T

	mu         sync.Mutex // guards executions, not the ledgers
	executions map[string]*ledger
}

// ledger is what the events of one execution have told.
type ledger struct {
	states   map[int]TaskState
	attempts map[int]int
	running  map[int]bool
	last     Event
	most     int
	over     bool
	// hopeless says that no attempt can succeed any more.
	hopeless bool
}

func (j *journal) observe(ev Event) {
	l := j.of(ev.Execution)
	if err := l.take(ev); err != nil {
		j.t.Errorf("%s, task %d, attempt %d: %v", ev.Execution, ev.Index, ev.Attempt, err)
	}
}

// of is the ledger of an execution.
func (j *journal) of(execution string) *ledger {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.executions[execution]
	if l == nil {
		l = &ledger{states: map[int]TaskState{}, attempts: map[int]int{}, running: map[int]bool{}}
		j.executions[execution] = l
	}
	return l
}

// take checks one event against those before.
func (l *ledger) take(ev Event) error {
	if l.over {
		return errors.New("an event after the last")
	}
	if ev.At.Before(l.last.At) {
		return errors.New("time goes backwards")
	}
	l.last = ev
	l.hopeless = l.hopeless || (&Config{}).hopeless(ev.Err)
	if ev.Kind == ExecutionEnded {
		l.over = true
		return nil
	}
	if l.states[ev.Index].Final() {
		return fmt.Errorf("an event after the task was %s", l.states[ev.Index])
	}
	switch ev.Kind {
	case AttemptStarting:
		if ev.Attempt != l.attempts[ev.Index] || l.running[ev.Index] {
			return fmt.Errorf("begins as attempt %d", l.attempts[ev.Index])
		}
		l.running[ev.Index] = true
		l.most = max(l.most, len(l.running))
	case AttemptEnded:
		if ev.Attempt != l.attempts[ev.Index] {
			return fmt.Errorf("ends as attempt %d", l.attempts[ev.Index])
		}
		if ev.Exit.Succeeded() != (ev.State == Succeeded) {
			return fmt.Errorf("%s makes it %s", ev.Exit, ev.State)
		}
		delete(l.running, ev.Index)
		l.attempts[ev.Index]++
	}
	l.states[ev.Index] = ev.State
	if ev.Counts.Running != len(l.running) {
		return fmt.Errorf("%d are said to run, %d do", ev.Counts.Running, len(l.running))
	}
	return nil
}

// audit compares the end of an execution with what its events told.
func (j *journal) audit(e *Execution, job *runpb.Job, status *runpb.Execution) {
	t, l := j.t, j.of(e.Name())
	var counts Counts
	retries := int(job.GetTemplate().GetTemplate().GetMaxRetries())
	tasks := tasksOf(t, e)
	for i, task := range tasks {
		state := TaskState(task.GetLabels()[StateLabel])
		if !state.Final() || state != l.states[i] {
			t.Errorf("task %d is %q, its events say %q", i, state, l.states[i])
		}
		counts.move(Pending, state)
		if l.attempts[i] > 1 {
			counts.Retried++
		}
		if l.attempts[i] > retries+1 || int(task.GetRetried()) != max(0, l.attempts[i]-1) {
			t.Errorf("task %d: %d attempts, %d retries, %d allowed", i, l.attempts[i], task.GetRetried(), retries)
		}
		if state == Failed && l.attempts[i] != retries+1 && !l.hopeless {
			t.Errorf("task %d failed after %d attempts of %d: %v", i, l.attempts[i], retries+1, task)
		}
	}
	if n := int(job.GetTemplate().GetTaskCount()); len(tasks) != n || counts.Final() != n || !l.over {
		t.Errorf("%d tasks, %d ended, of %d; over: %t", len(tasks), counts.Final(), n, l.over)
	}
	got := Counts{
		Running: int(status.GetRunningCount()), Succeeded: int(status.GetSucceededCount()),
		Failed: int(status.GetFailedCount()), Cancelled: int(status.GetCancelledCount()), Retried: int(status.GetRetriedCount()),
	}
	if got != counts || l.last.Counts != counts {
		t.Errorf("counts %+v and %+v, want %+v", got, l.last.Counts, counts)
	}
	if p := int(job.GetTemplate().GetParallelism()); p > 0 && l.most > p {
		t.Errorf("%d ran at once, want at most %d", l.most, p)
	}
}
