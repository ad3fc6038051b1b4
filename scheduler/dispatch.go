package scheduler

import "context"

// dispatch starts and creates whatever there is room for. The creations end
// with wanted. The place in the queue for room is kept only as long as it is of
// use, because others wait behind it.
func (l *loop) dispatch(work, wanted context.Context) {
	queued := false
	for !l.abandoned && l.ready.len() > 0 && l.running+l.reserved < l.plan.parallelism {
		if queued = !l.share.TryReserve(); queued {
			break
		}
		a := l.ready.pop()
		a.holds = l.plan.need
		l.start(work, a)
	}
	for l.mayCreate() {
		a := new(attempt)
		if !l.prepare(a) {
			if l.running+l.reserved >= l.plan.parallelism {
				break
			}
			if queued = !l.share.TryReserve(); queued {
				break
			}
			a.holds = l.plan.need
			l.reserved++
		}
		l.create(wanted, a)
	}
	if !queued {
		l.share.Withdraw()
	}
}

// mayCreate reports whether it is time to create another instance: there is a
// task for it, the host is not busy enough with us, and it will start soon.
func (l *loop) mayCreate() bool {
	if l.abandoned || l.pause != nil || !l.waits() {
		return false
	}
	c := &l.scheduler.config
	if l.creating >= c.Creating || l.deleting >= 2*c.Creating {
		return false
	}
	return l.creating-l.reserved+l.ready.len() < l.room()+c.Ahead
}

// waits reports whether a task waits for an attempt.
func (l *loop) waits() bool {
	for l.fresh < len(l.tasks) && !l.tasks[l.fresh].untouched() {
		l.fresh++ // another process has begun it
	}
	return l.fresh < l.plan.tasks || l.retries.len() > 0
}

// room is how many instances more could run now.
func (l *loop) room() int {
	return min(l.plan.parallelism-l.running-l.reserved, l.share.Room())
}

// prepare reports whether the attempt's instance may be created before there is
// room for it. All executions together do so only as far as keeps the host from
// being filled with instances that wait.
func (l *loop) prepare(a *attempt) bool {
	select {
	case l.scheduler.prepared <- struct{}{}:
		a.prepared = true
	default:
	}
	return a.prepared
}

// create hands the next attempt to a goroutine that makes its instance.
func (l *loop) create(wanted context.Context, a *attempt) {
	if l.fresh < l.plan.tasks {
		a.index = l.fresh
		l.fresh++
	} else {
		a.index = l.retries.pop()
	}
	if a.index < len(l.tasks) {
		a.number = l.tasks[a.index].Attempts
	}
	l.tick()
	a.scheduled = l.updated
	a.spec = l.plan.attempt(a.index, a.number)
	l.creating++
	l.helpers.Go(func() {
		l.scheduler.create(wanted, a)
		l.tell(report{kind: instanceCreated, attempt: a})
	})
}

// start records that an attempt begins, which has its room, then lets it.
func (l *loop) start(ctx context.Context, a *attempt) {
	l.unprepare(a)
	l.tick()
	first := l.started.IsZero()
	if first {
		l.started = l.updated
	}
	a.recorded = l.change(a.index, func(t *TaskRecord) {
		l.begin(t, a)
		t.Attempted, t.AttemptedUp = l.updated, l.scheduler.config.Uptime()
		if t.Started.IsZero() {
			t.Started = l.updated
		}
		l.move(t, Running)
	})
	if first {
		l.tellBegun(l.changeExecution())
	}
	l.emit(Event{Kind: AttemptStarting}, a)
	l.running++
	l.watch(ctx, a)
}

// tellBegun tells that the execution has begun, once that is durable.
func (l *loop) tellBegun(t Ticket) {
	l.helpers.Go(func() {
		if l.scheduler.await(t) {
			close(l.begun)
		}
	})
}

// begin counts an attempt.
func (l *loop) begin(t *TaskRecord, a *attempt) {
	a.begun = true
	if t.Scheduled.IsZero() {
		t.Scheduled = a.scheduled
	}
	t.Attempts++
	if a.number == 1 {
		l.counts.Retried++
	}
}

// unprepare lets others prepare an instance in the attempt's stead.
func (l *loop) unprepare(a *attempt) {
	if a.prepared {
		a.prepared = false
		<-l.scheduler.prepared
	}
}

// remove hands an attempt to a goroutine that deletes its instance.
func (l *loop) remove(ctx context.Context, a *attempt) {
	l.unprepare(a)
	l.deleting++
	l.helpers.Go(func() {
		l.scheduler.delete(ctx, a)
		l.tell(report{kind: instanceDeleted, attempt: a})
	})
}
