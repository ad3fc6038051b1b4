package scheduler

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"runnel/contract"
)

// loop is the goroutine that owns an execution's state. What takes time is done
// by others, which report back.
type loop struct {
	*Execution
	scheduler *Scheduler
	share     *Share
	log       *slog.Logger
	reports   chan report
	// helpers are the goroutines that the loop has started.
	helpers sync.WaitGroup

	progress
	// tasks are the records by index, as far as one has been attempted or given
	// up; view is as much of it as is durable.
	tasks []TaskRecord
	view  view
	// fresh is where to look for the next task that was never attempted;
	// retries are those that wait for another attempt, behind all the fresh
	// ones: that gives whatever made them fail time to pass, and no task waits
	// for another's retries.
	fresh   int
	retries fifo[int]
	// ready are created and wait for room to start.
	ready fifo[*attempt]
	// adopting counts the attempts whose instances are being taken over; when
	// none is left of those that another process has begun, resumed is closed.
	adopting int
	resumed  chan struct{}
	// creating and deleting count the attempts that others have; running those
	// that may run, also while they are deleted. reserved are those of creating
	// whose room is kept for them.
	creating, reserved, running, deleting int
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
	// end is closed when the end of the execution is durable; nil before there
	// is one, and afterwards.
	end <-chan struct{}
}

// report is what a goroutine tells the loop about the attempt it was given.
type report struct {
	kind    reportKind
	attempt *attempt
	// why is set with attemptStopping; recorded gets the ticket of it.
	why      contract.Exit
	recorded chan<- Ticket
}

type reportKind int

const (
	instanceCreated reportKind = iota
	instanceAdopted
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
		resumed:   make(chan struct{}),
	}
	l.updated = e.plan.created
	return l
}

// run sees the execution through. It returns when nothing of it is left, or
// when the scheduler is detached.
func (l *loop) run(ctx context.Context, past Past) {
	// The end of ctx is one way among others to be cancelled; work already
	// begun must not be cut short by it.
	work := context.WithoutCancel(ctx)
	wanted, abandon := context.WithCancel(work)
	defer abandon()
	l.abandon = abandon
	defer l.share.Withdraw()

	l.resume(work, past)
	asked, cancelled := ctx.Done(), l.cancelled
	for l.advance(work, wanted); !l.over(); l.advance(work, wanted) {
		select {
		case r := <-l.reports:
			l.handle(work, r)
		case <-l.share.Wake():
		case <-l.pause:
			l.pause = nil
		case q := <-l.queries:
			l.answer(work, q)
		case <-l.end:
			l.end = nil
		case <-asked:
			asked = nil
			l.cancel()
		case <-cancelled:
			cancelled = nil
			l.quit(work)
		case <-l.scheduler.detached:
		}
		if l.detached() {
			abandon()
			l.helpers.Wait()
			close(l.left)
			return
		}
	}
	l.helpers.Wait()
	l.finish()
}

// advance does what follows from what has happened, wherever that was.
func (l *loop) advance(work, wanted context.Context) {
	l.reconsider(work)
	l.settle()
	l.dispatch(work, wanted)
}

// over reports whether nothing is left to do.
func (l *loop) over() bool {
	return !l.completed.IsZero() && l.end == nil && l.creating+l.running+l.deleting == 0
}

func (l *loop) detached() bool {
	select {
	case <-l.scheduler.detached:
		return true
	default:
		return false
	}
}

// finish publishes the last state.
func (l *loop) finish() {
	l.view.catchUp()
	l.final = snapshot{progress: l.view.progress, records: l.tasks}
	close(l.done)
}

// answer shows what is durable. A cancel that has been asked for is decided first:
// without a journal it is seen at once.
func (l *loop) answer(ctx context.Context, q query) {
	select {
	case <-l.cancelled:
		l.quit(ctx)
	default:
	}
	l.view.catchUp()
	q.reply <- snapshot{progress: l.view.progress, records: l.plan.page(q.from, q.n, l.tasks, l.view.older)}
}

// handle takes in what others have done.
func (l *loop) handle(ctx context.Context, r report) {
	l.tick()
	a := r.attempt
	switch r.kind {
	case instanceCreated:
		l.creating--
		l.created(ctx, a)
	case instanceAdopted:
		l.adopted(ctx, a)
	case attemptStopping:
		r.recorded <- l.stopping(ctx, a, r.why)
	case attemptEnded:
		l.ended(ctx, a)
	case instanceDeleted:
		l.deleting--
		l.removed(ctx, a)
	}
}

// tick notes the time, which never goes back, whatever the host's clock does.
func (l *loop) tick() {
	if now := time.Now(); now.After(l.updated) {
		l.updated = now
	}
}

// tell reports to the loop, unless the scheduler was detached: then nothing
// that is known is to be believed.
func (l *loop) tell(r report) {
	if l.detached() {
		return
	}
	select {
	case l.reports <- r:
	case <-l.scheduler.detached:
	}
}
