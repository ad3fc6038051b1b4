package scheduler

// view is what may be shown of an execution: what is durable of it. The loop
// goes ahead of it, so that nobody waits for the disk who does not have to, and
// a reader never does.
type view struct {
	// progress is as of the last change that is durable.
	progress progress
	// changes are those that are not, in their order.
	changes fifo[change]
	// older are the records of the tasks in changes, as they are durable.
	older map[int]older
}

// change is one record on its way to the disk.
type change struct {
	ticket Ticket
	// progress is how far the execution has come with it.
	progress progress
	// task is the record of the task that has changed; its Index is -1 where it
	// was the execution itself.
	task TaskRecord
}

// older is the durable record of a task that has gone on since.
type older struct {
	record TaskRecord
	// changes is how many of view.changes are the task's.
	changes int
}

// add takes a change; before is the task's record without it.
func (v *view) add(c change, before TaskRecord) {
	v.catchUp()
	if v.changes.len() == 0 && isDone(c.ticket) {
		v.progress = c.progress
		return
	}
	v.changes.push(c)
	if c.task.Index < 0 {
		return
	}
	o, ok := v.older[c.task.Index]
	if !ok {
		o.record = before
	}
	o.changes++
	if v.older == nil {
		v.older = make(map[int]older)
	}
	v.older[c.task.Index] = o
}

// catchUp takes over what has become durable meanwhile.
func (v *view) catchUp() {
	for v.changes.len() > 0 && isDone(v.changes.front().ticket) {
		c := v.changes.pop()
		v.progress = c.progress
		if c.task.Index < 0 {
			continue
		}
		o := v.older[c.task.Index]
		if o.changes--; o.changes == 0 {
			delete(v.older, c.task.Index)
			continue
		}
		o.record = c.task
		v.older[c.task.Index] = o
	}
}

// isDone reports whether what t stands for is durable, or nobody keeps it.
func isDone(t Ticket) bool {
	if t == nil {
		return true
	}
	select {
	case <-t.Done():
		return true
	default:
		return false
	}
}
