package control

import (
	"context"
	"strconv"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/contract"
	"runnel/scheduler"
	"runnel/store"
)

// Task is a task as it stands. Its location, job and execution may be "-", if
// no other one has that id.
func (c *Control) Task(ctx context.Context, name string) (*runpb.Task, error) {
	n, err := c.parse("name", name, atTask)
	if err != nil {
		return nil, err
	}
	execution, index, ok := taskIndex(n.id())
	at := n.up(atExecution)
	if at.id() == anyID {
		at = n.up(atJob).child(atExecution, execution)
	}
	if !ok || at.id() != execution {
		return nil, notFound(n)
	}
	if at, err = c.theExecution(at); err != nil {
		return nil, notFound(n)
	}
	tasks, err := c.tasks(ctx, at, index, 1)
	switch {
	case isNotFound(err), err == nil && len(tasks) == 0:
		return nil, notFound(n)
	case err != nil:
		return nil, err
	}
	return tasks[0], nil
}

// taskIndex takes a task's id apart.
func taskIndex(id string) (execution string, index int, ok bool) {
	cut := strings.LastIndex(id, "-task")
	if cut < 0 {
		return "", 0, false
	}
	execution = id[:cut]
	index, err := strconv.Atoi(id[cut+len("-task"):])
	// The second way leaves no other spelling of a number.
	return execution, index, err == nil && contract.TaskName(execution, index) == id
}

// tasks are up to n tasks of an execution, from an index on.
func (c *Control) tasks(ctx context.Context, of name, from, n int) ([]*runpb.Task, error) {
	r := c.runs.get(of.String())
	stored := n
	if r != nil {
		stored = 0 // the scheduler has them
	}
	x, records, err := c.readTasks(of, from, stored)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return c.showTasks(scheduler.Tasks(x, from, n, records)), nil
	}
	tasks, err := r.Tasks(ctx, from, n)
	switch {
	case ctx.Err() != nil:
		return nil, contextError(ctx)
	case err != nil:
		return nil, unavailable(errClosed)
	}
	return c.showTasks(tasks), nil
}

// readTasks reads an execution and the records of some of its tasks.
func (c *Control) readTasks(of name, from, n int) (x *runpb.Execution, records []scheduler.TaskRecord, err error) {
	err = c.view(func(tx *store.Tx) error {
		if x = getExecution(tx, of.String()); x == nil {
			return notFound(of)
		}
		records = taskRecords(tx, x, from, n)
		return nil
	})
	return x, records, err
}

// showTasks adds to tasks what is not stored with them.
func (c *Control) showTasks(tasks []*runpb.Task) []*runpb.Task {
	for _, t := range tasks {
		if c.config.LogURI != nil {
			t.LogUri = c.config.LogURI(split(t.GetName()).up(atExecution).String())
		}
		t.Etag = Etag(t.GetName(), t.GetUpdateTime().AsTime())
	}
	return tasks
}

// Tasks is a page of the tasks of an execution, by index, or of several
// executions, the newest of these first.
func (c *Control) Tasks(ctx context.Context, q Query[*runpb.Task]) (items []*runpb.Task, next string, err error) {
	parent, err := c.parse("parent", q.Parent, atExecution)
	if err != nil {
		return nil, "", err
	}
	if !parent.wild() {
		if _, _, err := c.readExecution(parent); err != nil {
			return nil, "", err
		}
	}
	l := taskList{control: c, query: q}
	if l.size, err = q.size(); err != nil {
		return nil, "", err
	}
	if l.at, err = q.begin(kindTasks); err != nil {
		return nil, "", err
	}
	next, err = l.read(ctx, parent)
	return l.items, next, err
}

// kindTasks sets the tokens of lists of tasks apart from others.
const kindTasks store.Kind = "tasks"

// taskList is a page of tasks in the making.
type taskList struct {
	control *Control
	query   Query[*runpb.Task]
	size    int
	// at is where the next task is looked for.
	at    place
	items []*runpb.Task
	// shown is how many bytes the items are.
	shown int
}

// read fills the page from the executions below parent and returns the token of
// the next one, if there is one.
func (l *taskList) read(ctx context.Context, parent name) (next string, err error) {
	for {
		some, _, err := l.control.scan(kindExecutions, parent, l.at.after, 1)
		if err != nil || len(some) == 0 {
			return "", err
		}
		full, err := l.readFrom(ctx, split(some[0].name))
		if err != nil && !isNotFound(err) {
			return "", err
		}
		if full {
			return l.query.token(kindTasks, l.at), nil
		}
		l.at = place{after: some[0].cursor}
	}
}

// taskChunk is how many tasks are looked at together where some of them may not
// be in the list.
const taskChunk = 500

// chunk is how many tasks to look at next: where all are in the list, those that
// are missing on the page and one to tell whether there are more.
func (l *taskList) chunk() int {
	if l.query.Match != nil {
		return taskChunk
	}
	return l.size - len(l.items) + 1
}

// readFrom adds the tasks of one execution. It reports whether the page is full
// and there is at least one more task.
func (l *taskList) readFrom(ctx context.Context, of name) (full bool, err error) {
	for {
		tasks, err := l.control.tasks(ctx, of, l.at.index, l.chunk())
		if err != nil || len(tasks) == 0 {
			return false, err
		}
		for _, t := range tasks {
			if l.query.Match == nil || l.query.Match(t) {
				if len(l.items) == l.size || l.shown > maxPageBytes {
					return true, nil
				}
				l.items, l.shown = append(l.items, t), l.shown+proto.Size(t)
			}
			l.at.index++
		}
	}
}
