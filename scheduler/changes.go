package scheduler

import (
	"context"
	"log/slog"

	"runnel/contract"
)

// change alters the record of a task and has it made durable.
func (l *loop) change(index int, alter func(*TaskRecord)) Ticket {
	for len(l.tasks) <= index {
		l.tasks = append(l.tasks, TaskRecord{Index: len(l.tasks), State: Pending})
	}
	t := &l.tasks[index]
	before := *t
	alter(t)
	t.Updated = l.updated
	var ticket Ticket
	if journal := l.scheduler.config.Journal; journal != nil {
		ticket = journal.Task(l.plan.identity, *t)
	}
	l.view.add(change{ticket: ticket, progress: l.progress, task: *t}, before)
	return ticket
}

// changeExecution has the execution itself made durable as it stands.
func (l *loop) changeExecution() Ticket {
	var ticket Ticket
	if journal := l.scheduler.config.Journal; journal != nil {
		ticket = journal.Execution(l.plan.execution(&l.progress))
	}
	l.view.add(change{ticket: ticket, progress: l.progress, task: TaskRecord{Index: -1}}, TaskRecord{})
	return ticket
}

// move puts a task into another state.
func (l *loop) move(t *TaskRecord, to TaskState) {
	l.counts.move(t.State, to)
	t.State = to
	if to.Final() {
		t.Completed = l.updated
	}
	if to == Failed && l.failure == "" {
		t.FirstFailure = true
		l.failure = l.plan.failureLine(t)
	}
}

// failureLine is what an execution says of the first task that failed.
func (p *plan) failureLine(t *TaskRecord) string {
	return t.Exit.FailureLine(contract.TaskName(p.name, t.Index), resultMessage(t))
}

// settle ends the execution with its last task.
func (l *loop) settle() {
	if l.counts.Final() < l.plan.tasks || !l.completed.IsZero() {
		return
	}
	l.completed = l.updated
	if t := l.changeExecution(); t != nil {
		l.end = t.Done()
	}
	l.log.Info("execution ended", "succeeded", l.counts.Succeeded, "failed", l.counts.Failed,
		"cancelled", l.counts.Cancelled, "retried", l.counts.Retried)
	l.scheduler.config.Observe(Event{
		Kind: ExecutionEnded, Execution: l.plan.name, Counts: l.counts, At: l.completed,
	})
}

// emit tells the observer about an attempt.
func (l *loop) emit(ev Event, a *attempt) {
	ev.Execution, ev.Index, ev.Attempt, ev.Instance = l.plan.name, a.index, a.number, a.spec.ID
	ev.State, ev.Counts, ev.At = Pending, l.counts, l.updated
	if a.index < len(l.tasks) {
		ev.State = l.tasks[a.index].State
	}
	l.log.LogAttrs(context.Background(), slog.LevelDebug, "task is "+string(ev.State),
		slog.Int("task", a.index), slog.Int("attempt", a.number))
	l.scheduler.config.Observe(ev)
}
