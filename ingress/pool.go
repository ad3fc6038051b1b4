package ingress

import (
	"context"
	"sync"
	"time"

	"runnel/contract"
)

// PoolConfig describes a Pool.
type PoolConfig struct {
	// Revision is the revision's short name, Service its service's.
	Service, Revision string
	// Patience is how long a request may wait at first, see Pool.SetPatience;
	// ten seconds if 0.
	Patience time.Duration
	// Demand is called, with no lock held, when a request begins to wait, and
	// when one is taken by an instance that has no other. It must not block.
	// Nil: nobody wants to know.
	Demand func()
}

// Pool is one revision's instances that take requests, and the requests that
// wait for one. Safe for concurrent use.
type Pool struct {
	config PoolConfig
	// base is the moment that times within the pool are counted from.
	base time.Time

	// mu guards what follows, and what member and Lease say it does. Nobody is
	// called while it is held.
	mu sync.Mutex
	// members are in the order in which they were added; byID, byPublicID and
	// byKey find them by their names and by what an affinity cookie calls them.
	members                 []*member
	byID, byPublicID, byKey map[string]*member
	// turn are the members that have room. While there is one, nobody waits.
	turn     turn
	queue    queue
	patience time.Duration
	// expiry ends the wait of the queue's first; nil until somebody has waited.
	expiry *time.Timer
	meter  meter
}

// NewPool makes a pool without instances.
func NewPool(c PoolConfig) *Pool {
	if c.Patience == 0 {
		c.Patience = contract.Patience(0)
	}
	return &Pool{
		config: c, base: time.Now(), patience: c.Patience,
		byID: map[string]*member{}, byPublicID: map[string]*member{}, byKey: map[string]*member{},
	}
}

// now is the time since base.
func (p *Pool) now() time.Duration { return time.Since(p.base) }

// Acquire takes a slot, of the instance with the public ID prefer where that has
// one, else of the instance that has the most requests and room for another, so
// that others may become idle. Without a free slot it waits its turn. Errors:
// ErrSaturated, what Reject was given, the cause of ctx's end.
func (p *Pool) Acquire(ctx context.Context, prefer string) (*Lease, error) {
	if l := p.take(prefer); l != nil {
		return l, nil
	}
	return p.wait(ctx, prefer)
}

// take takes a slot that is free; nil if there is none.
func (p *Pool) take(prefer string) *Lease {
	p.mu.Lock()
	m := p.choose(prefer)
	if m == nil {
		p.mu.Unlock()
		return nil
	}
	l := &Lease{}
	p.meter.advance(p.now())
	first := p.grant(m, l)
	asleep := !m.awake
	p.mu.Unlock()
	if first {
		p.demand()
	}
	if asleep {
		m.wake()
	}
	return l
}

// wait stands in the queue.
func (p *Pool) wait(ctx context.Context, prefer string) (*Lease, error) {
	w := &waiter{ready: make(chan struct{})}
	p.mu.Lock()
	now := p.now()
	w.since = now
	p.queue.push(w)
	p.meter.advance(now)
	p.meter.waiting++
	// A slot may have come free since take has looked.
	if m := p.choose(prefer); m != nil {
		p.serve(m, w)
	} else if p.queue.first == w {
		p.arm(now)
	}
	p.mu.Unlock()
	p.demand()
	select {
	case <-w.ready:
	case <-ctx.Done():
		if p.leave(w) {
			return nil, context.Cause(ctx)
		}
	}
	if w.err != nil {
		return nil, w.err
	}
	w.lease.member.rouse()
	return &w.lease, nil
}

// leave takes w out of the queue, and reports whether it was still there.
func (p *Pool) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-w.ready:
		return false
	default:
	}
	p.meter.advance(p.now())
	p.meter.waiting--
	p.queue.remove(w)
	return true
}

// choose finds a member with room, prefer before others; nil if there is none.
// The caller holds mu.
func (p *Pool) choose(prefer string) *member {
	if prefer != "" {
		if m := p.byPublicID[prefer]; m != nil && m.place >= 0 {
			return m
		}
	}
	return p.turn.first()
}

// grant gives l a slot of m, and reports whether m had no request. The caller
// holds mu and has advanced the meter.
func (p *Pool) grant(m *member, l *Lease) (first bool) {
	l.Backend, l.member = &m.backend, m
	m.link(l)
	first = m.active == 0
	p.turn.raise(m)
	p.turn.settle(m)
	p.meter.active++
	p.meter.requests++
	return first
}

// serve ends the wait of w with a slot of m. The caller holds mu and has
// advanced the meter.
func (p *Pool) serve(m *member, w *waiter) (first bool) {
	p.queue.remove(w)
	p.meter.waiting--
	first = p.grant(m, &w.lease)
	close(w.ready)
	return first
}

// dispatch gives free slots to those that wait, and reports whether an instance
// without requests got one. The caller holds mu and has advanced the meter.
func (p *Pool) dispatch() (first bool) {
	for w := p.queue.first; w != nil; w = p.queue.first {
		m := p.turn.first()
		if m == nil {
			break
		}
		first = p.serve(m, w) || first
	}
	return first
}

// demand tells whoever keeps the instances. The caller holds no lock.
func (p *Pool) demand() {
	if p.config.Demand != nil {
		p.config.Demand()
	}
}
