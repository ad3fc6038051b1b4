package net

import (
	"errors"
	"fmt"
	"sync"
)

// reaper deletes links, many at a time. The kernel waits about twenty
// milliseconds for readers to be done with a link before it is gone, and as
// long for two hundred; so deletions that come together wait together.
type reaper struct {
	netlink *rtnetlink
	group   uint32

	mu      sync.Mutex // guards pending
	pending []*deletion

	// turn is held by whoever deletes at the moment.
	turn sync.Mutex
}

// deletion is one link to be deleted. Whoever holds the turn writes done and
// err.
type deletion struct {
	index int
	done  bool
	err   error
}

// delete deletes the link and returns when it is gone. A link that is not there
// is no error.
func (r *reaper) delete(index int) error {
	d := &deletion{index: index}
	r.mu.Lock()
	r.pending = append(r.pending, d)
	r.mu.Unlock()

	// Whoever gets the turn first takes all that have come until then.
	r.turn.Lock()
	defer r.turn.Unlock()
	if !d.done {
		r.mu.Lock()
		batch := r.pending
		r.pending = nil
		r.mu.Unlock()
		r.deleteBatch(batch)
	}
	return d.err
}

// deleteAll deletes several links and returns when they are gone. Those that
// are not there are no error.
func (r *reaper) deleteAll(indexes []int) error {
	if len(indexes) == 0 {
		return nil
	}
	batch := make([]*deletion, len(indexes))
	for i, index := range indexes {
		batch[i] = &deletion{index: index}
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	r.deleteBatch(batch)
	errs := make([]error, len(batch))
	for i, d := range batch {
		errs[i] = d.err
	}
	return errors.Join(errs...)
}

// deleteBatch deletes a batch by putting it into one group.
func (r *reaper) deleteBatch(batch []*deletion) {
	if len(batch) == 1 {
		d := batch[0]
		d.done, d.err = true, r.netlink.deleteByIndex(d.index)
		return
	}
	for _, d := range batch {
		d.done, d.err = true, ignoreGone(r.netlink.setGroup(d.index, r.group))
	}
	if err := r.netlink.deleteGroup(r.group); err != nil {
		for _, d := range batch {
			d.err = fmt.Errorf("group %#x: %w", r.group, err)
		}
	}
}
