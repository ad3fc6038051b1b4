package scheduler

import (
	"cmp"
	"context"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// created takes an attempt whose instance is there, or could not be.
func (l *loop) created(ctx context.Context, a *attempt) {
	hasRoom := a.holds != (Resources{})
	if hasRoom {
		l.reserved--
	}
	switch {
	case l.abandoned:
		l.release(a, a.holds)
		l.unprepare(a)
		if a.instance != nil {
			l.remove(ctx, a)
		}
		l.drop(a.index)
	case a.err != nil:
		l.release(a, a.holds)
		l.unprepare(a)
		l.conclude(ctx, a)
	case hasRoom:
		l.emit(Event{Kind: AttemptCreated}, a)
		l.start(ctx, a)
	default:
		l.ready.push(a)
		l.emit(Event{Kind: AttemptCreated}, a)
	}
}

// stopping takes an attempt that is to be stopped, and records why.
func (l *loop) stopping(ctx context.Context, a *attempt, why contract.Exit) Ticket {
	if why.Cancelled {
		l.quit(ctx) // no task is cancelled unless its execution is
	}
	t := l.change(a.index, func(t *TaskRecord) { t.Stopping = why })
	l.emit(Event{Kind: AttemptStopping, Exit: rruntime.Exit{Exit: why}}, a)
	return t
}

// ended takes an attempt that ran, or could not be started. One whose end was
// not seen comes to its end only with the deletion: before, another attempt
// could run beside it.
func (l *loop) ended(ctx context.Context, a *attempt) {
	if !a.unseen() {
		// The CPU is free as soon as the processes are gone; the memory only
		// with the instance, whose files may live there.
		l.release(a, Resources{CPU: a.holds.CPU})
		l.running--
		l.conclude(ctx, a)
	}
	l.remove(ctx, a)
}

// removed takes an attempt whose instance has been deleted, or could not be.
func (l *loop) removed(ctx context.Context, a *attempt) {
	if !a.unseen() {
		l.forgive(a)
		l.release(a, a.holds)
		return
	}
	l.buried(ctx, a)
}

// buried takes an attempt that nobody has seen end, and of which nothing is
// left, or what is left cannot be got rid of.
func (l *loop) buried(ctx context.Context, a *attempt) {
	l.forgive(a)
	l.running--
	l.conclude(ctx, a)
	if a.leftover != nil {
		l.share.Forfeit(a.holds) // it may run on, and use all of it
		return
	}
	l.release(a, a.holds)
}

// forgive notes an instance that is left behind.
func (l *loop) forgive(a *attempt) {
	if a.leftover != nil {
		l.log.Error("instance left behind", "instance", a.spec.ID, "err", a.leftover)
		l.leftovers = append(l.leftovers, a.leftover)
	}
}

// reconsider gives up an execution whose instances do not fit on the host any
// more, now that part of it is lost.
func (l *loop) reconsider(ctx context.Context) {
	err := l.scheduler.config.Budget.Check(l.plan.need)
	if err == nil || l.abandoned {
		return
	}
	l.log.Warn("no room is left", "err", err)
	l.hopeless = err
	l.giveUp(ctx)
}

// release gives part of what an attempt holds back to the budget.
func (l *loop) release(a *attempt, r Resources) {
	if r != (Resources{}) {
		a.holds = a.holds.Sub(r)
		l.share.Release(r)
	}
}

// conclude draws the consequences of an attempt's end, for its task and then
// for the others.
func (l *loop) conclude(ctx context.Context, a *attempt) {
	if a.err != nil {
		a.exit.Exit = contract.Exit{Lost: true}
		a.exit.At = l.updated
	}
	verdict := l.judge(a)
	a.recorded = l.change(a.index, func(t *TaskRecord) {
		if !a.begun {
			l.begin(t, a)
		}
		t.Exit, t.Error, t.Stopping = a.exit, "", contract.Exit{}
		if a.err != nil {
			t.Error = a.err.Error()
		}
		t.Hopeless = !l.abandoned && l.scheduler.config.hopeless(a.err)
		l.move(t, verdict.state())
	})
	if verdict == Retry {
		l.retries.push(a.index)
	}
	l.emit(Event{Kind: AttemptEnded, Exit: a.exit, Err: a.err}, a)
	l.weigh(ctx, a)
}

// judge is the retry rule, but for an attempt that would be in vain, is not
// wanted any more, or would run beside one that cannot be got rid of.
func (l *loop) judge(a *attempt) Verdict {
	verdict := Judge(a.exit.Exit, a.number, l.plan.maxRetries)
	switch {
	case verdict != Retry:
		return verdict
	case l.scheduler.config.hopeless(a.err), a.leftover != nil:
		return GiveUp
	case l.abandoned:
		return l.whenAbandoned()
	}
	return Retry
}

// weigh looks at what an attempt's end means to the others: a container that
// cannot start spares them the attempt, a host in trouble is given time.
func (l *loop) weigh(ctx context.Context, a *attempt) {
	switch {
	case !a.exit.Lost:
		l.failures = 0
	case l.scheduler.config.hopeless(a.err):
		if !l.abandoned {
			l.log.Warn("no attempt can succeed", "err", a.err)
			l.hopeless = a.err
			l.giveUp(ctx)
		}
	case l.pause == nil:
		l.failures++
		pause := Pause(l.failures)
		l.pause = time.After(pause)
		l.log.Warn("host failed an attempt", "task", a.index, "attempt", a.number, "pause", pause.String(), "err", cmp.Or(a.err, errUnseen))
	}
}

// quit cancels the execution, unless that is too late or has been done.
func (l *loop) quit(ctx context.Context) {
	if l.counts.Final() == l.plan.tasks {
		return
	}
	if !l.cancelling {
		l.tick()
		l.log.Info("execution is cancelled")
		l.cancelling = true
		l.changeExecution()
	}
	l.giveUp(ctx)
}

// giveUp starts nothing more: tasks that wait come to their end, instances that
// wait are deleted. What runs goes on.
func (l *loop) giveUp(ctx context.Context) {
	if l.abandoned {
		return
	}
	l.abandoned = true
	l.abandon()
	l.share.Withdraw()
	for l.ready.len() > 0 {
		a := l.ready.pop()
		l.remove(ctx, a)
		l.drop(a.index)
	}
	for l.retries.len() > 0 {
		l.drop(l.retries.pop())
	}
	for ; l.fresh < l.plan.tasks; l.fresh++ {
		if l.fresh >= len(l.tasks) || l.tasks[l.fresh].untouched() {
			l.drop(l.fresh)
		}
	}
}

// drop ends a task that waits, in an execution that was abandoned.
func (l *loop) drop(index int) {
	verdict := l.whenAbandoned()
	l.change(index, func(t *TaskRecord) {
		if verdict == GiveUp {
			t.Error, t.Hopeless = l.hopeless.Error(), true
		}
		l.move(t, verdict.state())
	})
	t := &l.tasks[index]
	var err error
	if verdict == GiveUp {
		err = l.hopeless
	}
	l.emit(Event{Kind: TaskEnded, Err: err}, &attempt{index: index, number: max(0, t.Attempts-1)})
}

// whenAbandoned is what becomes of a task that is not tried again.
func (l *loop) whenAbandoned() Verdict {
	if l.hopeless != nil {
		return GiveUp
	}
	return Stop
}
