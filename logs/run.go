package logs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
	"runnel/scheduler"
)

// run is the logs of one execution, as far as it has come.
type run struct {
	name string
	// from and until are times that no entry is earlier or later than.
	from, until time.Time
	// done says that there will be no more logs.
	done bool

	origin *origin
	// known counts the attempts of each task whose logs are known.
	known map[int]int
	// open are the logs that may go on, by task: those of the last attempts.
	open map[int]*log
}

func newRun(x *runpb.Execution) *run {
	r := &run{name: x.GetName(), from: x.GetCreateTime().AsTime(), until: forever}
	if end := x.GetCompletionTime(); end != nil {
		r.until = end.AsTime()
	}
	return r
}

// span implements group.
func (r *run) span() (from, until time.Time) { return r.from, r.until }

// over implements group.
func (r *run) over() bool { return r.done }

// anew implements group.
func (r *run) anew() group {
	fresh := *r
	return &fresh
}

// find implements group.
func (r *run) find(ctx context.Context, l *Logs, task int) (found []*log, err error) {
	list, err := l.control.Instances(ctx, r.name)
	if status.Code(err) == codes.NotFound {
		r.end() // it has been deleted, and its logs with it
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	first := r.origin == nil
	if first {
		r.origin = newOrigin(list.Execution)
		r.known, r.open = make(map[int]int), make(map[int]*log)
	}
	r.done = !list.More
	for _, t := range list.Tasks {
		if task < 0 || t.Index == task {
			found = append(found, r.attempts(l.dir, t)...)
		}
	}
	if first && r.done {
		r.tellSwept(l.dir, found)
	}
	return found, nil
}

// tellSwept notes it where the logs that were found may all have been removed.
func (r *run) tellSwept(dir string, found []*log) {
	until := sweptUntil(dir)
	if len(found) == 0 || until.Add(slack).Before(r.from) || !nothingLeft(found) {
		return
	}
	text := fmt.Sprintf(sweptText, until.UTC().Format(time.RFC3339))
	found[0].notes = slices.Insert(found[0].notes, 0, note{r.from, severityWarning, text, true})
}

// attempts returns the logs of a task's attempts that are new.
func (r *run) attempts(dir string, t control.TaskInstances) (found []*log) {
	if last := r.open[t.Index]; last != nil && len(t.IDs) > r.known[t.Index] {
		last.over = true
		delete(r.open, t.Index)
	}
	for attempt := r.known[t.Index]; attempt < len(t.IDs); attempt++ {
		x := newLog(dir, r.origin, t.IDs[attempt], t.Index, attempt)
		x.from, x.until = r.attemptSpan(t, attempt)
		x.over = attempt < len(t.IDs)-1
		if !x.over {
			r.open[t.Index] = x
		}
		found = append(found, x)
	}
	r.known[t.Index] = len(t.IDs)
	if last := r.open[t.Index]; last != nil && t.Record.State != scheduler.Running {
		last.over = true
		last.notes = endNotes(r.origin, t.Record)
		delete(r.open, t.Index)
	}
	return found
}

// attemptSpan are times that no entry of an attempt is earlier or later than.
func (r *run) attemptSpan(t control.TaskInstances, attempt int) (from, until time.Time) {
	from, until = r.from, forever
	if at := t.Record.Started; !at.IsZero() {
		from = at
	}
	switch {
	case attempt < len(t.IDs)-1:
		until = t.Record.Attempted
	case !t.Record.Attempted.IsZero():
		from = t.Record.Attempted
	}
	if t.Record.State.Final() && attempt == len(t.IDs)-1 {
		until = t.Record.Completed
	}
	if until.IsZero() {
		until = forever
	}
	// Times of entries are taken by another process, in other places.
	return from.Add(-slack), later(until)
}

// end says that nothing follows.
func (r *run) end() {
	r.done = true
	for task, last := range r.open {
		last.over = true
		delete(r.open, task)
	}
}
