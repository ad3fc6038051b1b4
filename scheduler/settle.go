package scheduler

import (
	"context"
	"log/slog"
	"time"

	"runnel/contract"
)

// created takes an attempt whose instance is there, or could not be.
func (l *loop) created(ctx context.Context, a *attempt) {
	switch {
	case l.abandoned:
		if a.instance != nil {
			l.remove(ctx, a)
		}
		l.drop(a.index)
	case a.err != nil:
		l.begin(a)
		l.conclude(ctx, a)
	default:
		l.ready.push(a)
		l.emit(Event{Kind: AttemptCreated}, a)
	}
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
	if a.leftover != nil {
		l.log.Error("instance left behind", "instance", a.spec.ID, "err", a.leftover)
		l.leftovers = append(l.leftovers, a.leftover)
	}
	if !a.unseen() {
		l.release(a, a.holds)
		return
	}
	l.running--
	l.conclude(ctx, a)
	if a.leftover != nil {
		l.share.Forfeit(a.holds) // it may run on, and use all of it
		return
	}
	l.release(a, a.holds)
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
	t := &l.tasks[a.index]
	t.exit, t.err = a.exit, a.err
	switch l.judge(a) {
	case Done:
		l.move(a.index, Succeeded)
	case Retry:
		l.move(a.index, Pending)
		l.retries.push(a.index)
	case GiveUp:
		l.move(a.index, Failed)
	case Stop:
		l.move(a.index, Cancelled)
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
	case hopeless(a.err), a.leftover != nil:
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
	case hopeless(a.err):
		if !l.abandoned {
			l.log.Warn("no attempt can succeed", "err", a.err)
			l.hopeless = a.err
			l.giveUp(ctx)
		}
	case l.pause == nil:
		l.failures++
		pause := Pause(l.failures)
		l.pause = time.After(pause)
		l.log.Warn("host failed an attempt", "task", a.index, "attempt", a.number, "pause", pause, "err", a.err)
	}
}

// quit cancels the execution, unless that is too late.
func (l *loop) quit(ctx context.Context) {
	if l.counts.Final() == len(l.tasks) {
		return
	}
	l.log.Info("execution is cancelled")
	l.cancelling = true
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
	for ; l.fresh < len(l.tasks); l.fresh++ {
		l.drop(l.fresh)
	}
}

// drop ends a task that waits, in an execution that was abandoned.
func (l *loop) drop(index int) {
	t := &l.tasks[index]
	if l.whenAbandoned() == GiveUp {
		t.err = l.hopeless
		l.move(index, Failed)
	} else {
		l.move(index, Cancelled)
	}
	l.emit(Event{Kind: TaskEnded, Err: t.err}, &attempt{index: index, number: max(0, t.attempts-1)})
}

// whenAbandoned is what becomes of a task that is not tried again.
func (l *loop) whenAbandoned() Verdict {
	if l.hopeless != nil {
		return GiveUp
	}
	return Stop
}

// move puts a task into another state.
func (l *loop) move(index int, to TaskState) {
	t := &l.tasks[index]
	l.counts.move(t.state, to)
	t.state = to
	if to.Final() {
		t.completed = l.updated
	}
	if to == Failed && l.failure == "" {
		l.failure = t.exit.FailureLine(contract.TaskName(l.plan.name, index), resultMessage(t))
	}
}

// settle ends the execution with its last task.
func (l *loop) settle() {
	if l.counts.Final() < len(l.tasks) || !l.completed.IsZero() {
		return
	}
	l.completed = l.updated
	l.log.Info("execution ended", "succeeded", l.counts.Succeeded, "failed", l.counts.Failed,
		"cancelled", l.counts.Cancelled, "retried", l.counts.Retried)
	l.scheduler.config.Observe(Event{
		Kind: ExecutionEnded, Execution: l.plan.name, Counts: l.counts, At: l.completed,
	})
}

// emit tells the observer about an attempt.
func (l *loop) emit(ev Event, a *attempt) {
	ev.Execution, ev.Index, ev.Attempt, ev.Instance = l.plan.name, a.index, a.number, a.spec.ID
	ev.State, ev.Counts, ev.At = l.tasks[a.index].state, l.counts, l.updated
	l.log.LogAttrs(context.Background(), slog.LevelDebug, "task is "+string(ev.State),
		slog.Int("task", a.index), slog.Int("attempt", a.number))
	l.scheduler.config.Observe(ev)
}
