package scheduler

import "slices"

// fifo is a queue. The zero value is empty and ready.
type fifo[T comparable] struct {
	items []T
	// head is where the first item is; what lies before it is spent.
	head int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(v T) { q.items = append(q.items, v) }

// front is the first item of a queue that has one.
func (q *fifo[T]) front() T { return q.items[q.head] }

// pop takes the first item of a queue that has one. Spent room is reused once
// it is half of the whole, so that a pop costs the same on average however long
// the queue.
func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	if q.head*2 >= len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v
}

// remove takes v out, wherever it is.
func (q *fifo[T]) remove(v T) {
	if i := slices.Index(q.items[q.head:], v); i >= 0 {
		q.items = slices.Delete(q.items, q.head+i, q.head+i+1)
	}
}
