package scheduler

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// loop is the goroutine that owns an execution's state. What takes time is done
// by others, which report back.
type loop struct {
	*Execution
	scheduler *Scheduler
	share     *Share
	log       *slog.Logger
	reports   chan report

	progress
	tasks []task
	// fresh is the first task that was never attempted; retries are those that
	// wait for another attempt, behind all the fresh ones: that gives whatever
	// made them fail time to pass, and no task waits for another's retries.
	fresh   int
	retries fifo[int]
	// ready are created and wait for room to start.
	ready fifo[*attempt]
	// creating and deleting count the attempts that others have; running those
	// that may run, also while they are deleted.
	creating, running, deleting int
	// abandoned is set when nothing more is to be started; abandon tells the
	// creations under way.
	abandoned bool
	abandon   context.CancelFunc
	// hopeless says why no attempt can succeed any more, once one has shown it.
	hopeless error
	// failures is how often in a row the host has failed an attempt; after one
	// nothing is created until pause fires, which is nil otherwise.
	failures int
	pause    <-chan time.Time
}

// report is what a goroutine tells the loop about the attempt it was given.
type report struct {
	kind    reportKind
	attempt *attempt
	// why is set with attemptStopping.
	why contract.Exit
}

type reportKind int

const (
	instanceCreated reportKind = iota
	attemptStopping
	attemptEnded
	instanceDeleted
)

func newLoop(s *Scheduler, e *Execution) *loop {
	l := &loop{
		Execution: e,
		scheduler: s,
		share:     s.config.Budget.Join(e.plan.need),
		log:       s.config.Logger.With("job", e.plan.job, "execution", e.plan.name),
		reports:   make(chan report),
		tasks:     make([]task, e.plan.tasks),
	}
	for i := range l.tasks {
		l.tasks[i].state = Pending
	}
	l.updated = e.plan.created
	return l
}

// run sees the execution through. It returns when nothing of it is left.
func (l *loop) run(ctx context.Context) {
	l.log.Info("execution begins", "tasks", l.plan.tasks, "parallelism", l.plan.parallelism)
	// From here on the end of ctx is one way among others to be cancelled;
	// work already begun must not be cut short by it.
	wanted, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	l.abandon = abandon
	asked, cancelled := ctx.Done(), l.cancelled
	for l.dispatch(wanted); !l.over(); l.dispatch(wanted) {
		select {
		case r := <-l.reports:
			l.handle(context.WithoutCancel(ctx), r)
		case <-l.share.Wake():
		case <-l.pause:
			l.pause = nil
		case reply := <-l.queries:
			reply <- snapshot{progress: l.progress, tasks: slices.Clone(l.tasks)}
		case <-asked:
			asked = nil
			l.cancel()
		case <-cancelled:
			cancelled = nil
			l.updated = time.Now()
			l.quit(context.WithoutCancel(ctx))
		}
		l.reconsider(context.WithoutCancel(ctx))
		l.settle()
	}
	l.finish()
}

// over reports whether nothing is left to do.
func (l *loop) over() bool {
	return l.counts.Final() == len(l.tasks) && l.creating+l.running+l.deleting == 0
}

// finish publishes the last state.
func (l *loop) finish() {
	l.share.Withdraw()
	l.final = snapshot{progress: l.progress, tasks: l.tasks}
	close(l.done)
}

// dispatch starts and creates whatever there is room for. The context ends when
// the execution is abandoned.
func (l *loop) dispatch(wanted context.Context) {
	for !l.abandoned && l.ready.len() > 0 && l.running < l.plan.parallelism && l.share.TryReserve() {
		l.start(context.WithoutCancel(wanted), l.ready.pop())
	}
	for l.mayCreate() {
		l.create(wanted)
	}
}

// mayCreate reports whether it is time to create another instance: there is a
// task for it, the host is not busy enough with us, and it will start soon.
func (l *loop) mayCreate() bool {
	if l.abandoned || l.pause != nil || (l.fresh == len(l.tasks) && l.retries.len() == 0) {
		return false
	}
	c := &l.scheduler.config
	if l.creating >= c.Creating || l.deleting >= 2*c.Creating {
		return false
	}
	return l.creating+l.ready.len() < l.room()+c.Ahead
}

// room is how many instances more could run now.
func (l *loop) room() int {
	return min(l.plan.parallelism-l.running, l.share.Room())
}

// create hands the next attempt to a goroutine that makes its instance.
func (l *loop) create(wanted context.Context) {
	var index int
	if l.fresh < len(l.tasks) {
		index = l.fresh
		l.fresh++
	} else {
		index = l.retries.pop()
	}
	t := &l.tasks[index]
	if t.scheduled.IsZero() {
		t.scheduled = time.Now()
	}
	a := &attempt{index: index, number: t.attempts, spec: l.plan.attempt(index, t.attempts)}
	l.creating++
	go func() {
		l.scheduler.create(wanted, a)
		l.reports <- report{kind: instanceCreated, attempt: a}
	}()
}

// start records that an attempt begins, then lets it.
func (l *loop) start(ctx context.Context, a *attempt) {
	a.holds = l.plan.need
	l.begin(a)
	if t := &l.tasks[a.index]; t.started.IsZero() {
		t.started = l.updated
	}
	if l.started.IsZero() {
		l.started = l.updated
	}
	l.move(a.index, Running)
	l.emit(Event{Kind: AttemptStarting}, a)
	l.running++
	go func() {
		l.supervise(ctx, a, func(why contract.Exit) {
			l.reports <- report{kind: attemptStopping, attempt: a, why: why}
		})
		l.reports <- report{kind: attemptEnded, attempt: a}
	}()
}

// begin counts an attempt.
func (l *loop) begin(a *attempt) {
	l.updated = time.Now()
	l.tasks[a.index].attempts++
	if a.number == 1 {
		l.counts.Retried++
	}
}

// remove hands an attempt to a goroutine that deletes its instance.
func (l *loop) remove(ctx context.Context, a *attempt) {
	l.deleting++
	go func() {
		l.scheduler.delete(ctx, a)
		l.reports <- report{kind: instanceDeleted, attempt: a}
	}()
}

// handle takes in what others have done.
func (l *loop) handle(ctx context.Context, r report) {
	l.updated = time.Now()
	a := r.attempt
	switch r.kind {
	case instanceCreated:
		l.creating--
		l.created(ctx, a)
	case attemptStopping:
		l.emit(Event{Kind: AttemptStopping, Exit: rruntime.Exit{Exit: r.why}}, a)
	case attemptEnded:
		l.ended(ctx, a)
	case instanceDeleted:
		l.deleting--
		l.removed(ctx, a)
	}
}
