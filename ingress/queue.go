package ingress

import "time"

// waiter is a request that waits for a slot. Once ready is closed it has err, or
// lease is one.
type waiter struct {
	next, prev *waiter
	since      time.Duration
	ready      chan struct{}
	err        error
	lease      Lease
}

// queue is waiters, in the order they came. The zero value is empty.
type queue struct {
	first, last *waiter
}

// push puts w last.
func (q *queue) push(w *waiter) {
	w.prev, q.last = q.last, w
	if w.prev == nil {
		q.first = w
	} else {
		w.prev.next = w
	}
}

// remove takes w out, wherever it is; it must be in.
func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev = nil, nil
}
