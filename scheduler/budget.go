package scheduler

import "sync"

// Budget is what the host has to give to instances. Every execution holds a
// Share of it. Shares take turns: one that found no room is served before any
// that asks after it, so a large task is not kept waiting for ever by small
// ones, at the price that these wait behind it until it defers. Safe for
// concurrent use.
type Budget struct {
	// mu guards what follows and the queued field of every share.
	mu       sync.Mutex
	capacity Resources
	used     Resources
	waiting  fifo[*Share]
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
	first := b.waiting.len() == 0 || b.waiting.front() == s
	if !first || !s.need.Fits(b.capacity.Sub(b.used)) {
		if !s.queued {
			s.queued = true
			b.waiting.push(s)
		}
		return false
	}
	b.used = b.used.Add(s.need)
	if s.queued {
		s.queued = false
		b.waiting.pop()
		b.wakeFirst()
	}
	return true
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
	s.queued = false
	b.waiting.remove(s)
	b.wakeFirst()
}

// Defer has those that wait go first where this share has waited longest and
// still finds no room: what it wants may not be had for a long time.
func (s *Share) Defer() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting.len() < 2 || b.waiting.front() != s || s.need.Fits(b.capacity.Sub(b.used)) {
		return
	}
	b.waiting.pop()
	b.waiting.push(s)
	b.wakeFirst()
}

// wakeFirst tells the share that has waited longest. The caller holds mu.
func (b *Budget) wakeFirst() {
	if b.waiting.len() > 0 {
		b.waiting.front().tell()
	}
}

// tell makes Wake receive.
func (s *Share) tell() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been told and has not looked yet
	}
}
