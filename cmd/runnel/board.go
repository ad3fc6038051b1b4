package main

import (
	"sync"
	"time"

	"runnel/contract"
	"runnel/scheduler"
)

// board keeps what is known of an execution's tasks, from the scheduler's
// events. It is safe for concurrent use.
type board struct {
	// mu guards what follows.
	mu     sync.Mutex
	counts scheduler.Counts
	tasks  []taskRow
}

// taskRow is what the board knows of one task.
type taskRow struct {
	state scheduler.TaskState
	// attempts is how many there were, also of those that came to nothing.
	attempts int
	// exit is how the last attempt ended, once one has; err why it came to
	// nothing.
	exit  contract.Exit
	ended bool
	err   error
	// from and to bound the task: its first start and its end.
	from, to time.Time
}

func newBoard(tasks int) *board {
	b := &board{tasks: make([]taskRow, tasks)}
	for i := range b.tasks {
		b.tasks[i].state = scheduler.Pending
	}
	return b
}

// observe takes the next event of the execution.
func (b *board) observe(e scheduler.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts = e.Counts
	if e.Kind == scheduler.ExecutionEnded || e.Index < 0 || e.Index >= len(b.tasks) {
		return
	}
	t := &b.tasks[e.Index]
	t.state = e.State
	switch e.Kind {
	case scheduler.AttemptStarting:
		t.attempts = e.Attempt + 1
		t.err = nil
		if t.from.IsZero() {
			t.from = e.At
		}
	case scheduler.AttemptEnded:
		t.attempts = e.Attempt + 1 // one that could not be created never starts
		t.exit, t.ended, t.err = e.Exit.Exit, e.Err == nil, e.Err
		t.to = e.At
	case scheduler.TaskEnded:
		t.to = e.At
		if e.Err != nil {
			t.err = e.Err
		}
	}
}

// snapshot is the board as it stands; the rows must not be changed.
func (b *board) snapshot() (scheduler.Counts, []taskRow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts, append([]taskRow(nil), b.tasks...)
}

// result is what was last said about a task, for a table: how it ended, or
// why there is no end.
func (t taskRow) result() string {
	switch {
	case t.err != nil:
		return t.err.Error()
	case t.ended:
		return t.exit.String()
	}
	return "-"
}

// cell is the result in a table: an error is a sentence, and stands in the
// task's log.
func (t taskRow) cell() string {
	if t.err != nil {
		return "error"
	}
	return t.result()
}

// duration is how long the task took over all attempts; 0 if it never ran.
func (t taskRow) duration() time.Duration {
	if t.from.IsZero() || t.to.Before(t.from) {
		return 0
	}
	return t.to.Sub(t.from)
}
