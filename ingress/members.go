package ingress

import (
	"slices"
	"time"

	"runnel/ingress/forward"
)

// shunTime is for how long an instance that takes no connection has no requests,
// unless it is removed before.
const shunTime = time.Second

// Add has an instance take requests from now on, those that wait first. It does
// nothing if there is one of that ID.
func (p *Pool) Add(b Backend) {
	b.Concurrency = max(1, b.Concurrency)
	m := &member{
		pool: p, backend: b, place: -1, ready: true, hooks: make(chan struct{}, 1),
		hop: forward.NewHop(b.Addr, b.H2C),
		key: affinityKey(p.config.Service, p.config.Revision, b.PublicID),
	}
	m.awake = !m.hooked()
	p.mu.Lock()
	if p.byID[b.ID] != nil {
		p.mu.Unlock()
		return
	}
	m.idleSince = p.now()
	p.members = append(p.members, m)
	p.byID[b.ID], p.byPublicID[b.PublicID], p.byKey[m.key] = m, m, m
	first := p.offer(m)
	p.mu.Unlock()
	if first {
		p.demand()
	}
}

// offer has m in turn if it has room, and those that wait served; it reports
// whether an instance without requests got one. The caller holds mu.
func (p *Pool) offer(m *member) (first bool) {
	p.turn.settle(m)
	if p.queue.first == nil {
		return false
	}
	p.meter.advance(p.now())
	return p.dispatch()
}

// SetReady takes an instance out of turn, or has it take requests again; those
// that it has go on.
func (p *Pool) SetReady(id string, ready bool) {
	p.change(id, func(m *member) { m.ready = ready })
}

// change changes the member with an ID, if there is one, in a way that bears on
// whether it has room.
func (p *Pool) change(id string, how func(*member)) {
	p.mu.Lock()
	m := p.byID[id]
	if m == nil {
		p.mu.Unlock()
		return
	}
	how(m)
	first := p.offer(m)
	p.mu.Unlock()
	if first {
		p.demand()
	}
}

// shun gives m no requests for a moment.
func (p *Pool) shun(m *member) {
	p.change(m.backend.ID, func(m *member) {
		if m.shunned {
			return
		}
		m.shunned = true
		m.shun = time.AfterFunc(shunTime, func() {
			p.change(m.backend.ID, func(m *member) { m.shunned = false })
		})
	})
}

// Drain gives an instance no more requests. The channel is closed when it has
// none, at once if it is not known. Backend.Idle is not called any more, and not
// under way once Drain has returned for an idle instance; nobody that Busy or
// Idle wait for may wait for Drain.
func (p *Pool) Drain(id string) <-chan struct{} {
	p.mu.Lock()
	m := p.byID[id]
	if m != nil && m.active > 0 {
		defer p.mu.Unlock()
		m.draining = true
		p.turn.settle(m)
		if m.drained == nil {
			m.drained = make(chan struct{})
		}
		return m.drained
	}
	if m != nil {
		m.draining = true
		p.turn.settle(m)
	}
	p.mu.Unlock()
	if m != nil {
		m.settled()
	}
	none := make(chan struct{})
	close(none)
	return none
}

// DrainIdle is Drain for an instance that has no request, and reports whether
// it had none: nothing is done to one that is busy.
func (p *Pool) DrainIdle(id string) bool {
	p.mu.Lock()
	m := p.byID[id]
	if m == nil || m.active > 0 {
		p.mu.Unlock()
		return m == nil
	}
	m.draining = true
	p.turn.settle(m)
	p.mu.Unlock()
	m.settled()
	return true
}

// Remove forgets an instance. Requests that it still has end with why, which is
// one of this package's errors.
func (p *Pool) Remove(id string, why error) {
	p.mu.Lock()
	m := p.byID[id]
	if m == nil {
		p.mu.Unlock()
		return
	}
	m.gone = true
	p.turn.settle(m)
	p.members = slices.DeleteFunc(p.members, func(o *member) bool { return o == m })
	delete(p.byID, id)
	if p.byPublicID[m.backend.PublicID] == m {
		delete(p.byPublicID, m.backend.PublicID)
		delete(p.byKey, m.key)
	}
	if m.shun != nil {
		m.shun.Stop()
	}
	var leases []*Lease
	for l := m.leases; l != nil; l = l.next {
		leases = append(leases, l)
	}
	over := m.active == 0 && m.rest()
	p.mu.Unlock()
	for _, l := range leases {
		l.end(why)
	}
	if over {
		m.close()
	}
}
