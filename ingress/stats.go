package ingress

import "time"

// Stats is a pool at one moment.
type Stats struct {
	// Waiting requests have no instance; Active ones have.
	Waiting, Active int
	// Load is the sum, over all time, of how long requests have been active: its
	// growth between two moments, divided by the time between, is the mean
	// number of active requests. Demand is the same for active and waiting ones.
	Load, Demand time.Duration
	// Requests counts those that have been given to an instance.
	Requests uint64
	// Backends are the instances, in the order in which they were added.
	Backends []BackendStats
}

// BackendStats is one instance of a pool at one moment.
type BackendStats struct {
	ID string
	// Active requests.
	Active int
	// IdleSince is since when it has had none; zero while it has one.
	IdleSince time.Time
	// Ready says that it is in turn.
	Ready bool
}

// Stats looks at the pool.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.advance(p.now())
	s := Stats{
		Waiting: p.meter.waiting, Active: p.meter.active,
		Load: p.meter.load, Demand: p.meter.demand, Requests: p.meter.requests,
		Backends: make([]BackendStats, 0, len(p.members)),
	}
	for _, m := range p.members {
		b := BackendStats{ID: m.backend.ID, Active: m.active, Ready: m.ready && !m.draining}
		if m.active == 0 {
			b.IdleSince = p.base.Add(m.idleSince)
		}
		s.Backends = append(s.Backends, b)
	}
	return s
}

// Waiting is how many requests have no instance: Stats.Waiting, without looking
// at every instance.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meter.waiting
}

// meter counts requests, and sums up how long they have been there. Its pool's
// lock guards it.
type meter struct {
	// at is up to when the sums reach.
	at              time.Duration
	active, waiting int
	load, demand    time.Duration
	requests        uint64
}

// advance brings the sums up to now. It comes before every change of the counts.
func (m *meter) advance(now time.Duration) {
	d := now - m.at
	m.at = now
	m.load += d * time.Duration(m.active)
	m.demand += d * time.Duration(m.active+m.waiting)
}
