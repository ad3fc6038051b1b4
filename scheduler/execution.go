package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
)

// Execution is one run of a job. Its methods are safe for concurrent use. What
// they show is durable: no crash takes it back.
type Execution struct {
	plan *plan

	cancelOnce, killOnce sync.Once
	// cancelled and killed are closed when that is asked for.
	cancelled, killed chan struct{}
	// queries ask the loop for a snapshot.
	queries chan query
	// begun is closed when the first attempt begins, and that is durable.
	begun chan struct{}
	// done is closed when the loop has come to its end; final and leftovers,
	// what could not be deleted, are set before. left is closed instead when
	// the loop was detached.
	done, left chan struct{}
	final      snapshot
	leftovers  []error
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

// query asks for the progress and for n records from index from on.
type query struct {
	from, n int
	reply   chan<- snapshot
}

// snapshot is an execution at one moment.
type snapshot struct {
	progress
	records []TaskRecord
}

func newExecution(p *plan) *Execution {
	return &Execution{
		plan:      p,
		cancelled: make(chan struct{}),
		killed:    make(chan struct{}),
		queries:   make(chan query),
		begun:     make(chan struct{}),
		done:      make(chan struct{}),
		left:      make(chan struct{}),
	}
}

// Name is the short name, JOB-xxxxx.
func (e *Execution) Name() string { return e.plan.name }

// Begun is closed when the first attempt at any task begins, and that is durable,
// or has been in another process; never if the execution ends before that.
func (e *Execution) Begun() <-chan struct{} { return e.begun }

// Done is closed when every task has come to its end, that is durable, and
// every instance is gone. After Detach it never is.
func (e *Execution) Done() <-chan struct{} { return e.done }

// Wait returns when Done is closed. How the execution ended stands in the
// result's conditions. An error joins what could not be deleted, beside the
// result, or says without one that ctx ended first, or is ErrDetached.
func (e *Execution) Wait(ctx context.Context) (*runpb.Execution, error) {
	select {
	case <-e.done:
		return e.plan.execution(&e.final.progress), errors.Join(e.leftovers...)
	case <-e.left:
		return nil, e.cannotWait(ErrDetached)
	case <-ctx.Done():
		return nil, e.cannotWait(context.Cause(ctx))
	}
}

// Status is the execution as it stands. A Cancel shows as soon as it is durable.
// Errors: ErrDetached, those of ctx.
func (e *Execution) Status(ctx context.Context) (*runpb.Execution, error) {
	s, err := e.snapshot(ctx, 0, 0)
	if err != nil {
		return nil, err
	}
	return e.plan.execution(&s.progress), nil
}

// Tasks are the tasks as they stand, by index: n of them or what there is, from
// index from on. They share their containers and volumes, which must not be
// changed. Errors: as Status.
func (e *Execution) Tasks(ctx context.Context, from, n int) ([]*runpb.Task, error) {
	records, err := e.Records(ctx, from, n)
	tasks := make([]*runpb.Task, len(records))
	for i := range records {
		tasks[i] = e.plan.task(&records[i])
	}
	return tasks, err
}

// Task is the task at index as it stands; nil if there is none. Errors: as
// Status.
func (e *Execution) Task(ctx context.Context, index int) (*runpb.Task, error) {
	if index < 0 {
		return nil, nil
	}
	tasks, err := e.Tasks(ctx, index, 1)
	if len(tasks) == 0 {
		return nil, err
	}
	return tasks[0], nil
}

// Records are what Tasks are made of.
func (e *Execution) Records(ctx context.Context, from, n int) ([]TaskRecord, error) {
	s, err := e.snapshot(ctx, from, n)
	return s.records, err
}

// Cancel ends the execution: what runs gets SIGTERM and 10 s later SIGKILL,
// what does not run yet never will. It returns at once; Status tells that it is
// durable, Wait that all is over. A second Cancel is a Kill. What has already
// ended stays as it is.
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
func (e *Execution) snapshot(ctx context.Context, from, n int) (snapshot, error) {
	reply := make(chan snapshot, 1)
	select {
	case e.queries <- query{from, n, reply}:
		return <-reply, nil
	case <-e.done:
		s := e.final
		s.records = e.plan.page(from, n, s.records, nil)
		return s, nil
	case <-e.left:
		return snapshot{}, e.cannotTell(ErrDetached)
	case <-ctx.Done():
		return snapshot{}, e.cannotTell(context.Cause(ctx))
	}
}

// page are the records of n tasks, or of as many as there are, from index from
// on. They are those of tasks, but for what view has an older one of.
func (p *plan) page(from, n int, tasks []TaskRecord, older map[int]older) []TaskRecord {
	from = max(0, from)
	n = min(n, p.tasks-from)
	if n <= 0 {
		return nil
	}
	page := make([]TaskRecord, n)
	for i := range page {
		index := from + i
		if o, ok := older[index]; ok {
			page[i] = o.record
		} else if index < len(tasks) {
			page[i] = tasks[index]
		} else {
			page[i] = *p.unrecorded(index)
		}
	}
	return page
}

func (e *Execution) cannotWait(err error) error {
	return fmt.Errorf("wait for execution %s: %w", e.plan.name, err)
}

func (e *Execution) cannotTell(err error) error {
	return fmt.Errorf("ask for execution %s: %w", e.plan.name, err)
}
