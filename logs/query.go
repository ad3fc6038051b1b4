package logs

import (
	"container/heap"
	"context"
	"slices"
)

// query says which entries are wanted.
type query struct {
	// task is the only one whose logs are read, unless it is negative.
	task int
	// from and before bound the entries' keys.
	from, before key
	// system wants what there is to say about instances, too.
	system bool
	// match says which entries are wanted; nil for all.
	match func(*Entry) bool
}

// skips reports whether the entry to come next from l, after next, is not
// wanted, as far as can be told without making it.
func (q query) skips(l *log) bool {
	return l.place.before(q.from) || !q.system && (l.system || l.isNote() && !l.notes[0].loss)
}

// wants reports whether an entry is wanted that is not skipped.
func (q query) wants(e *Entry) bool { return q.match == nil || q.match(e) }

// newest is the key of the oldest among the n newest entries that q wants, or
// q.from if there are no more than that.
func (l *Logs) newest(ctx context.Context, groups []group, q query, n int) (key, error) {
	newest := &keys{most: n, from: q.from}
	groups = slices.Clone(groups)
	slices.SortFunc(groups, byEnd)
	for _, g := range groups {
		if _, until := g.span(); newest.outdo(later(until).UnixNano()) {
			break
		}
		found, err := g.anew().find(ctx, l, q.task)
		if err != nil {
			return key{}, err
		}
		slices.SortFunc(found, func(a, b *log) int { return b.until.Compare(a.until) })
		for _, x := range found {
			if newest.outdo(x.until.UnixNano()) {
				break
			}
			if err := newest.read(ctx, x, q); err != nil {
				return key{}, err
			}
		}
	}
	return newest.oldest(), nil
}

// keys are the newest of the keys that it was given, the oldest of them first.
// It implements heap.Interface.
type keys struct {
	all  []key
	most int
	// from is older than all.
	from key
}

// outdo reports whether what is not later than a time cannot be among the
// newest.
func (k *keys) outdo(until int64) bool { return until < k.oldest().time }

// oldest is the key that others must not be older than.
func (k *keys) oldest() key {
	if len(k.all) < k.most {
		return k.from
	}
	return k.all[0]
}

// read takes the keys of what q wants of a log.
func (k *keys) read(ctx context.Context, l *log, q query) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		ok, err := l.next()
		if err != nil {
			return err
		}
		if !ok || !l.place.before(q.before) {
			return nil
		}
		if q.from = k.oldest(); q.skips(l) {
			l.drop()
			continue
		}
		if q.match != nil {
			if e := l.take(); !q.match(&e) {
				continue
			}
		} else {
			l.drop()
		}
		k.add(l.place)
	}
}

func (k *keys) add(x key) {
	if len(k.all) == k.most {
		heap.Pop(k)
	}
	heap.Push(k, x)
}

// Len implements heap.Interface.
func (k *keys) Len() int { return len(k.all) }

// Less implements heap.Interface.
func (k *keys) Less(i, j int) bool { return k.all[i].before(k.all[j]) }

// Swap implements heap.Interface.
func (k *keys) Swap(i, j int) { k.all[i], k.all[j] = k.all[j], k.all[i] }

// Push implements heap.Interface.
func (k *keys) Push(x any) { k.all = append(k.all, x.(key)) }

// Pop implements heap.Interface.
func (k *keys) Pop() any {
	last := k.all[len(k.all)-1]
	k.all = k.all[:len(k.all)-1]
	return last
}
