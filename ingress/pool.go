package ingress

import (
	"context"
	"time"
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
type Pool struct{}

// NewPool makes a pool without instances.
func NewPool(PoolConfig) *Pool { panic("not built yet") }

// Lease is a slot of an instance, held for one request.
type Lease struct {
	// Backend is the instance.
	Backend *Backend
}

// Acquire takes a slot, of the instance with the public ID prefer where that has
// one, else of the instance that has the most requests and room for another, so
// that others may become idle. Without a free slot it waits its turn. Errors:
// ErrSaturated, what Reject was given, the cause of ctx's end.
func (p *Pool) Acquire(ctx context.Context, prefer string) (*Lease, error) { panic("not built yet") }

// Context is ctx, ended with the reason when the instance is removed from its
// pool. The caller must call stop.
func (l *Lease) Context(ctx context.Context) (of context.Context, stop func()) {
	panic("not built yet")
}

// Release gives the slot back. A second call does nothing.
func (l *Lease) Release() { panic("not built yet") }

// Add has an instance take requests from now on, those that wait first.
func (p *Pool) Add(Backend) { panic("not built yet") }

// SetReady takes an instance out of turn, or has it take requests again; those
// that it has go on.
func (p *Pool) SetReady(id string, ready bool) { panic("not built yet") }

// Drain gives an instance no more requests. The channel is closed when it has
// none, at once if it is not known.
func (p *Pool) Drain(id string) <-chan struct{} { panic("not built yet") }

// DrainIdle is Drain for an instance that has no request, and reports whether
// it had none: nothing is done to one that is busy.
func (p *Pool) DrainIdle(id string) bool { panic("not built yet") }

// Remove forgets an instance. Requests that it still has end with why, which is
// one of this package's errors.
func (p *Pool) Remove(id string, why error) { panic("not built yet") }

// SetPatience says how long a request may wait from now on, also one that waits
// already.
func (p *Pool) SetPatience(time.Duration) { panic("not built yet") }

// Reject ends the wait of every request with why: nobody will take them.
func (p *Pool) Reject(why error) { panic("not built yet") }

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
func (p *Pool) Stats() Stats { panic("not built yet") }
