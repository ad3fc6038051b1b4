package scheduler

import (
	"context"
	"errors"
	"time"
)

// resume takes up what the journal has kept, and takes over the instances of
// the attempts that were running.
func (l *loop) resume(ctx context.Context, past Past) {
	if len(past.Tasks) == 0 {
		l.log.Info("execution begins", "tasks", l.plan.tasks, "parallelism", l.plan.parallelism)
	}
	l.tasks = l.plan.arrange(past.Tasks)
	l.progress = l.plan.replay(l.tasks)
	l.view.progress = l.progress
	if !l.started.IsZero() {
		close(l.begun)
	}
	for i := range l.tasks {
		switch t := &l.tasks[i]; {
		case t.State == Running:
			l.readopt(ctx, t)
		case t.State == Pending && !t.untouched():
			l.retries.push(i)
		}
		if t := &l.tasks[i]; t.Hopeless && l.hopeless == nil {
			l.hopeless = errors.New(t.Error)
		}
	}
	if len(past.Tasks) > 0 {
		l.log.Info("execution goes on", "succeeded", l.counts.Succeeded, "failed", l.counts.Failed,
			"cancelled", l.counts.Cancelled, "running", l.counts.Running)
	}
	if l.adopting == 0 {
		close(l.resumed)
	}
	if l.hopeless != nil {
		l.tick()
		l.giveUp(ctx)
	}
	if l.cancelling || past.Cancelling {
		l.cancel()
		l.quit(ctx)
	}
}

// arrange puts records in their places, as far as there is one. Whatever they
// say, each task can come to its end.
func (p *plan) arrange(records []TaskRecord) []TaskRecord {
	var tasks []TaskRecord
	for _, r := range records {
		if r.Index < 0 || r.Index >= p.tasks {
			continue
		}
		for len(tasks) <= r.Index {
			tasks = append(tasks, TaskRecord{Index: len(tasks), State: Pending})
		}
		if !r.State.Final() && (r.State != Running || r.Attempts < 1) {
			r.State = Pending
		}
		tasks[r.Index] = r
	}
	return tasks
}

// replay is how far the execution had come when the last of its records was
// written.
func (p *plan) replay(tasks []TaskRecord) progress {
	g := progress{updated: p.created, started: moment(p.x.GetStartTime()), completed: moment(p.x.GetCompletionTime())}
	if at := moment(p.x.GetUpdateTime()); at.After(g.updated) {
		g.updated = at
	}
	g.cancelling = p.x.GetGeneration() > 1
	for i := range tasks {
		t := &tasks[i]
		g.counts.move(Pending, t.State)
		if t.Attempts > 1 {
			g.counts.Retried++
		}
		if !t.Started.IsZero() && (g.started.IsZero() || t.Started.Before(g.started)) {
			g.started = t.Started
		}
		if t.Updated.After(g.updated) {
			g.updated = t.Updated
		}
		if t.FirstFailure {
			g.failure = p.failureLine(t)
		}
	}
	return g
}

// readopt hands an attempt that was running to a goroutine that takes its
// instance over. It runs until the contrary is known, and has its room, whether
// that is there or not.
func (l *loop) readopt(ctx context.Context, t *TaskRecord) {
	a := &attempt{
		index: t.Index, number: t.Attempts - 1, spec: l.plan.attempt(t.Index, t.Attempts-1), begun: true,
		since: t.Attempted, sinceUp: t.AttemptedUp, stopping: t.Stopping, holds: l.plan.need,
	}
	l.share.Take()
	l.running++
	l.adopting++
	l.helpers.Go(func() {
		l.scheduler.adopt(ctx, a)
		l.tell(report{kind: instanceAdopted, attempt: a})
	})
}

// adopted takes an attempt whose instance has been taken over, or could not be.
// One that was recorded but never started begins only now.
func (l *loop) adopted(ctx context.Context, a *attempt) {
	if l.adopting--; l.adopting == 0 {
		close(l.resumed)
	}
	if a.instance == nil {
		l.log.Warn("instance is gone", "task", a.index, "attempt", a.number, "err", a.err)
		l.buried(ctx, a)
		return
	}
	if !a.instance.Started() {
		a.since = time.Time{}
		a.recorded = l.change(a.index, func(t *TaskRecord) { t.Attempted, t.AttemptedUp = l.updated, l.scheduler.config.Uptime() })
		l.emit(Event{Kind: AttemptStarting}, a)
	}
	l.watch(ctx, a)
}

// untouched reports whether no attempt at the task has begun.
func (r *TaskRecord) untouched() bool { return r.State == Pending && r.Attempts == 0 }
