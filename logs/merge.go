package logs

import (
	"container/heap"
	"context"
	"slices"
)

// merge brings the entries of many logs into one order. It opens a log only
// when its time has come, and holds no more of it than a chunk. Not safe for
// concurrent use.
type merge struct {
	logs *Logs
	// task is the only one whose logs are read, unless it is negative.
	task int
	// groups are those that have not been opened, by the time they begin; waiting
	// are logs that have not been read, by the time they begin.
	groups  []group
	waiting []*log
	// ready are logs that have a next entry, idle those that have none yet.
	ready heads
	idle  []*log
	// going are groups that have been opened and are not over.
	going []group
}

// newMerge merges the logs of groups.
func newMerge(l *Logs, groups []group, task int) *merge {
	groups = slices.Clone(groups)
	slices.SortFunc(groups, byBegin)
	return &merge{logs: l, task: task, groups: groups}
}

// next is the log that holds the entry to come next, nil if there is none by
// now. The caller has to move on from it before the next call.
func (m *merge) next(ctx context.Context) (*log, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	for {
		switch {
		case len(m.groups) > 0 && m.begins(m.groups[0]):
			g := m.groups[0]
			m.groups = m.groups[1:]
			if err := m.open(ctx, g); err != nil {
				return nil, err
			}
		case len(m.waiting) > 0 && m.due(m.waiting[0].from.UnixNano()):
			l := m.waiting[0]
			m.waiting[0] = nil
			m.waiting = m.waiting[1:]
			if err := m.look(l); err != nil {
				return nil, err
			}
		case len(m.ready) > 0:
			return m.ready[0], nil
		default:
			return nil, nil
		}
	}
}

// begins reports whether the logs of a group are to be looked at now.
func (m *merge) begins(g group) bool {
	from, _ := g.span()
	return m.due(from.UnixNano())
}

// due reports whether what begins at a time is to be looked at now.
func (m *merge) due(from int64) bool {
	earliest := lastKey.time
	if len(m.ready) > 0 {
		earliest = m.ready[0].place.time
	}
	if len(m.waiting) > 0 {
		earliest = min(earliest, m.waiting[0].from.UnixNano())
	}
	return from <= earliest
}

// open adds the logs of a group.
func (m *merge) open(ctx context.Context, g group) error {
	found, err := g.find(ctx, m.logs, m.task)
	if err != nil {
		return err
	}
	if !g.over() {
		m.going = append(m.going, g)
	}
	m.wait(found)
	return nil
}

// wait adds logs to those that have not been read.
func (m *merge) wait(found []*log) {
	if len(found) == 0 {
		return
	}
	m.waiting = append(m.waiting, found...)
	slices.SortStableFunc(m.waiting, func(a, b *log) int { return a.from.Compare(b.from) })
}

// look puts a log where it belongs by what it holds.
func (m *merge) look(l *log) error {
	ok, err := l.next()
	switch {
	case err != nil:
		return err
	case ok:
		heap.Push(&m.ready, l)
	case !l.over:
		m.idle = append(m.idle, l)
	}
	return nil
}

// take takes the next entry of l, the log that next has returned.
func (m *merge) take(l *log) (Entry, error) {
	e := l.take()
	return e, m.moved(l)
}

// pass leaves out the next entry of l, the log that next has returned.
func (m *merge) pass(l *log) error {
	l.drop()
	return m.moved(l)
}

// moved puts the first of the ready logs where it belongs after it has lost its
// next entry.
func (m *merge) moved(l *log) error {
	ok, err := l.next()
	if err != nil {
		return err
	}
	if ok {
		heap.Fix(&m.ready, 0)
		return nil
	}
	heap.Pop(&m.ready)
	if !l.over {
		m.idle = append(m.idle, l)
	}
	return nil
}

// refresh looks for what has come meanwhile: new logs, and more in those that
// had nothing. With groups, it also asks which instances there are by now.
func (m *merge) refresh(ctx context.Context, groups bool) error {
	if groups {
		var going []group
		for _, g := range m.going {
			found, err := g.find(ctx, m.logs, m.task)
			if err != nil {
				return err
			}
			m.wait(found)
			if !g.over() {
				going = append(going, g)
			}
		}
		m.going = going
	}
	idle := m.idle
	m.idle = nil
	for _, l := range idle {
		if err := m.look(l); err != nil {
			return err
		}
	}
	return nil
}

// over reports whether nothing can come any more.
func (m *merge) over() bool {
	return len(m.groups)+len(m.waiting)+len(m.ready)+len(m.idle)+len(m.going) == 0
}

// heads are logs by their next entries. It implements heap.Interface.
type heads []*log

// Len implements heap.Interface.
func (h heads) Len() int { return len(h) }

// Less implements heap.Interface.
func (h heads) Less(i, j int) bool { return h[i].place.before(h[j].place) }

// Swap implements heap.Interface.
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *heads) Push(l any) { *h = append(*h, l.(*log)) }

// Pop implements heap.Interface.
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}
