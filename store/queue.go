package store

import (
	"slices"
	"sync"
	"time"
)

// maxBacklog is how many changes may wait before Append waits too: several
// executions of the greatest size, all of whose tasks end while the disk
// stands still. It bounds the memory of what the disk does not take.
const maxBacklog = 1 << 16

// maxBatch is how many changes one commit takes, so that those behind do not
// wait too long.
const maxBatch = 1 << 13

// change is what somebody wants written.
type change struct {
	run  func(*Tx) error
	keep bool          // appended: tried until the disk takes it
	ran  bool          // in the state of the database, and nothing but synced
	done chan struct{} // closed when err is what became of it
	err  error
}

// finish says what became of a change.
func (c *change) finish(err error) {
	c.err = err
	close(c.done)
}

// queue is what waits to be committed.
type queue struct {
	wake    chan struct{} // has a token if there may be something to take
	closing chan struct{}

	mu      sync.Mutex // guards what follows
	room    sync.Cond  // signalled when waiting has become shorter
	waiting []*change
	taken   int // how many of the first of waiting are in a batch
	closed  bool
}

func newQueue() *queue {
	q := &queue{wake: make(chan struct{}, 1), closing: make(chan struct{})}
	q.room.L = &q.mu
	return q
}

// add puts a change behind all others. It returns false if there will be no
// commit any more. A change that is kept waits for room.
func (q *queue) add(c *change) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for c.keep && len(q.waiting) >= maxBacklog && !q.closed {
		q.room.Wait()
	}
	if q.closed {
		return false
	}
	q.waiting = append(q.waiting, c)
	q.signal()
	return true
}

// withdraw takes back a change that is in no batch.
func (q *queue) withdraw(c *change) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting[q.taken:], c)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, q.taken+i, q.taken+i+1)
	q.room.Broadcast()
	return true
}

// wait returns when there is something to do: a change has come or, where a
// pause is given, that has passed. It returns true when the queue is closed.
func (q *queue) wait(pause time.Duration) (closed bool) {
	wake := q.wake
	var passed <-chan time.Time
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		wake, passed = nil, timer.C
	}
	select {
	case <-wake:
	case <-passed:
	case <-q.closing:
		return true
	}
	return false
}

// take begins a batch: as many of the first changes as one commit takes.
func (q *queue) take() []*change {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = min(len(q.waiting), maxBatch)
	return slices.Clone(q.waiting[:q.taken])
}

// settle ends a batch. Those of it that are left are first again.
func (q *queue) settle(left []*change) (empty bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(left, q.waiting[q.taken:]...)
	q.taken = 0
	q.room.Broadcast()
	if len(q.waiting) > 0 {
		q.signal()
	}
	return len(q.waiting) == 0
}

// rest is what waits once nothing is taken any more.
func (q *queue) rest() []*change {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// signal leaves a token for wait.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close lets nothing more in. It returns false if it was closed before.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	close(q.closing)
	q.room.Broadcast()
	return true
}
