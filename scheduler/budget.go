package scheduler

import (
	"slices"
	"sync"
)

// Budget is what the host has to give to instances. Every execution holds a
// Share of it. Shares take turns: one that found no room is served before any
// that asks after it, so a large task is not kept waiting for ever by small
// ones, at the price that these wait behind it until it defers. What asks for no
// CPU, as instances of services do, waits behind nobody who lacks only that: it
// takes its turn among its like. Safe for concurrent use.
type Budget struct {
	// mu guards what follows and the queued field of every share.
	mu       sync.Mutex
	capacity Resources
	used     Resources
	waiting  fifo[*Share]
	// light is how many of those that wait ask for no CPU.
	light int
}

// NewBudget has all of capacity to give.
func NewBudget(capacity Resources) *Budget { return &Budget{capacity: capacity} }

// Capacity is what the budget has, reserved or not. It shrinks by what is
// forfeited.
func (b *Budget) Capacity() Resources {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.capacity
}

// Used is what is reserved now.
func (b *Budget) Used() Resources {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Check says whether need could ever be reserved; a *CapacityError if not.
func (b *Budget) Check(need Resources) error {
	capacity := b.Capacity()
	if need.Fits(capacity) {
		return nil
	}
	return &CapacityError{Need: need, Capacity: capacity}
}

// Join opens a share whose reservations are all of need, which Check has
// accepted.
func (b *Budget) Join(need Resources) *Share {
	return &Share{budget: b, need: need, wake: make(chan struct{}, 1)}
}

// Share is one user's side of a Budget. Its methods are for one goroutine, but
// Release is for any.
type Share struct {
	budget *Budget
	need   Resources
	wake   chan struct{}
	// queued says that the share stands in budget.waiting.
	queued bool
}

// TryReserve takes what one instance needs. Where that is not free, or others
// have waited longer, it joins the queue and Wake will tell when to try again.
func (s *Share) TryReserve() bool {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.mayTake(s) {
		if !s.queued {
			b.enqueue(s)
		}
		return false
	}
	b.used = b.used.Add(s.need)
	if s.queued {
		b.dequeue(s)
		b.wakeFirst()
	}
	return true
}

// mayTake reports whether it is a share's turn, and there is room for it. One
// that needs no CPU passes those that wait for CPU, and leaves the first of them
// the memory it will want. The caller holds mu.
func (b *Budget) mayTake(s *Share) bool {
	free := b.capacity.Sub(b.used)
	switch {
	case b.waiting.len() == 0 || b.waiting.front() == s:
		return s.need.Fits(free)
	case !s.isLight():
		return false
	}
	front := b.waiting.front()
	if first := b.firstLight(); front.isLight() || first != nil && first != s {
		return false
	}
	return s.need.Add(Resources{Memory: front.need.Memory}).Fits(free)
}

// isLight reports whether a share asks for no CPU.
func (s *Share) isLight() bool { return s.need.CPU == 0 }

// firstLight is the share without CPU that has waited longest; nil if none
// waits. The caller holds mu.
func (b *Budget) firstLight() *Share {
	if b.light == 0 {
		return nil
	}
	waiting := b.waiting.items[b.waiting.head:]
	return waiting[slices.IndexFunc(waiting, (*Share).isLight)]
}

// enqueue has a share wait behind all others. The caller holds mu.
func (b *Budget) enqueue(s *Share) {
	s.queued = true
	b.waiting.push(s)
	if s.isLight() {
		b.light++
	}
}

// dequeue takes a share that waits out of the queue. The caller holds mu.
func (b *Budget) dequeue(s *Share) {
	s.queued = false
	if b.waiting.front() == s {
		b.waiting.pop()
	} else {
		b.waiting.remove(s)
	}
	if s.isLight() {
		b.light--
	}
}

// Take takes what one instance needs without asking whether it is free, for one
// that is there already.
func (s *Share) Take() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used = b.used.Add(s.need)
}

// Wake receives when it is worth calling TryReserve again.
func (s *Share) Wake() <-chan struct{} { return s.wake }

// Room is how many more instances fit now, whoever waits for them.
func (s *Share) Room() int {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	return s.need.Times(b.capacity.Sub(b.used))
}

// Release gives r back, which is a reservation or a part of one.
func (s *Share) Release(r Resources) {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used = b.used.Sub(r)
	b.wakeFirst()
}

// Forfeit says that r, which is a reservation or a part of one, will never be
// given back. Every share that waits is woken: it may not fit any more.
func (s *Share) Forfeit(r Resources) {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.capacity = b.capacity.Sub(r)
	b.used = b.used.Sub(r)
	for _, waiting := range b.waiting.items[b.waiting.head:] {
		waiting.tell()
	}
}

// Withdraw leaves the queue: the share wants nothing more. What it has
// reserved stays reserved.
func (s *Share) Withdraw() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if !s.queued {
		return
	}
	b.dequeue(s)
	b.wakeFirst()
}

// Defer has those that wait go first where it is this share's turn and it still
// finds no room: what it wants may not be had for a long time.
func (s *Share) Defer() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting.len() < 2 || b.waiting.front() != s && b.firstLight() != s || b.mayTake(s) {
		return
	}
	b.dequeue(s)
	b.enqueue(s)
	b.wakeFirst()
}

// wakeFirst tells the shares whose turn it is: that which has waited longest, and
// the first without CPU. The caller holds mu.
func (b *Budget) wakeFirst() {
	if b.waiting.len() > 0 {
		b.waiting.front().tell()
	}
	if first := b.firstLight(); first != nil {
		first.tell()
	}
}

// tell makes Wake receive.
func (s *Share) tell() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been told and has not looked yet
	}
}
