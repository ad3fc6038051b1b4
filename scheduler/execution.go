package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	rruntime "runnel/runtime"
)

// Execution is one run of a job. Its methods are safe for concurrent use.
type Execution struct {
	plan *plan

	cancelOnce, killOnce sync.Once
	// cancelled and killed are closed when that is asked for.
	cancelled, killed chan struct{}
	// queries ask the loop for a snapshot.
	queries chan chan<- snapshot
	// done is closed when the loop has ended; final and leftovers, what could
	// not be deleted, are set before.
	done      chan struct{}
	final     snapshot
	leftovers []error
}

// task is the record of one task.
type task struct {
	state TaskState
	// attempts is how many have begun.
	attempts int
	// scheduled, started and completed are zero until it happens.
	scheduled, started, completed time.Time
	// exit is that of the last attempt that ended.
	exit rruntime.Exit
	// err says why the last attempt came to nothing, where it did, or why the
	// task was given up.
	err error
}

// progress is how far an execution has come.
type progress struct {
	counts Counts
	// started is when the first attempt began, completed when the last task
	// ended, updated when anything changed last.
	started, completed, updated time.Time
	// cancelling says that the execution was cancelled before its end.
	cancelling bool
	// failure tells of the first task that failed.
	failure string
}

// snapshot is an execution at one moment.
type snapshot struct {
	progress
	tasks []task
}

func newExecution(p *plan) *Execution {
	return &Execution{
		plan:      p,
		cancelled: make(chan struct{}),
		killed:    make(chan struct{}),
		queries:   make(chan chan<- snapshot),
		done:      make(chan struct{}),
	}
}

// Name is the short name, JOB-xxxxx.
func (e *Execution) Name() string { return e.plan.name }

// Wait returns when every task has come to its end and every instance is gone.
// How the execution ended stands in the result's conditions. An error joins
// what could not be deleted, beside the result, or says that ctx ended first,
// without one.
func (e *Execution) Wait(ctx context.Context) (*runpb.Execution, error) {
	select {
	case <-e.done:
		return e.plan.execution(&e.final.progress), errors.Join(e.leftovers...)
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for execution %s: %w", e.plan.name, context.Cause(ctx))
	}
}

// Status is the execution as it stands.
func (e *Execution) Status() *runpb.Execution {
	s := e.snapshot()
	return e.plan.execution(&s.progress)
}

// Tasks are the tasks as they stand, by index. They share their containers and
// volumes, which must not be changed.
func (e *Execution) Tasks() []*runpb.Task {
	s := e.snapshot()
	tasks := make([]*runpb.Task, len(s.tasks))
	for i := range s.tasks {
		tasks[i] = e.plan.task(i, &s.tasks[i])
	}
	return tasks
}

// Cancel ends the execution: what runs gets SIGTERM and 10 s later SIGKILL,
// what does not run yet never will. It returns at once; Wait tells when all is
// over. A second Cancel is a Kill. What has already ended stays as it is.
func (e *Execution) Cancel() {
	if !e.cancel() {
		e.Kill()
	}
}

// Kill ends the execution with SIGKILL, without the grace period.
func (e *Execution) Kill() {
	e.cancel()
	e.killOnce.Do(func() { close(e.killed) })
}

// cancel reports whether it is the first to be called.
func (e *Execution) cancel() (first bool) {
	e.cancelOnce.Do(func() {
		first = true
		close(e.cancelled)
	})
	return first
}

// snapshot asks the loop, or reads what it has left behind.
func (e *Execution) snapshot() snapshot {
	reply := make(chan snapshot, 1)
	select {
	case e.queries <- reply:
		return <-reply
	case <-e.done:
		return e.final
	}
}
