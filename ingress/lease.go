package ingress

import (
	"context"
	"sync"
)

// Lease is a slot of an instance, held for one request.
type Lease struct {
	// Backend is the instance.
	Backend *Backend

	member *member
	// The pool's lock guards these: the member's other leases, and whether this
	// one was released.
	next, prev *Lease
	released   bool

	// mu guards what follows.
	mu sync.Mutex
	// why the slot has ended; nil if it has not.
	why error
	// cancel is to be called when it does; nil if nobody wants to know.
	cancel context.CancelCauseFunc
}

// Context is ctx, ended with the reason when the instance is removed from its
// pool, and before by cancel, which the caller must call.
func (l *Lease) Context(ctx context.Context) (of context.Context, cancel context.CancelCauseFunc) {
	of, cancel = context.WithCancelCause(ctx)
	l.mu.Lock()
	why := l.why
	l.cancel = cancel
	l.mu.Unlock()
	if why != nil {
		cancel(why)
	}
	return of, cancel
}

// end tells that the instance is gone.
func (l *Lease) end(why error) {
	l.mu.Lock()
	l.why = why
	cancel := l.cancel
	l.mu.Unlock()
	if cancel != nil {
		cancel(why)
	}
}

// Release gives the slot back. A second call does nothing.
func (l *Lease) Release() {
	m := l.member
	p := m.pool
	p.mu.Lock()
	if l.released {
		p.mu.Unlock()
		return
	}
	l.released = true
	m.unlink(l)
	now := p.now()
	p.meter.advance(now)
	p.meter.active--
	p.turn.lower(m)
	if m.active == 0 {
		m.idleSince = now
	}
	p.turn.settle(m)
	first := p.dispatch()
	over := m.active == 0 && m.rest()
	p.mu.Unlock()
	if first {
		p.demand()
	}
	if over {
		m.close()
	}
}
