package serving

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	"runnel/probe"
	"runnel/scheduler"
)

// Fleet is all instances of services and worker pools. Safe for concurrent use.
type Fleet struct {
	config Config
	// probe asks a container, as probe.Check.Do; listening waits until one listens.
	probe     func(ctx context.Context, c probe.Check, addr netip.Addr) error
	listening func(ctx context.Context, addr netip.AddrPort) error
	// creates and deletes hold a token for each such call under way.
	creates, deletes chan struct{}
	loops            sync.WaitGroup
	// detached is closed by Detach.
	detached   chan struct{}
	detachOnce sync.Once

	// mu guards what follows.
	mu sync.Mutex
	// revisions are the loops by the full name of their revision.
	revisions map[string]*loop
	// routes are the revisions that each service's route names, by full names.
	routes map[string][]string
	// prepared are the loops that have, or are about to have, an instance
	// prepared; those that were used last come last.
	prepared []*loop
	// starts are the times that the last instances of each service took to start,
	// and of each worker pool.
	starts map[string]*startTimes
}

// New makes a fleet without revisions.
func New(config Config) *Fleet {
	config.complete()
	return &Fleet{
		config:    config,
		probe:     func(ctx context.Context, c probe.Check, addr netip.Addr) error { return c.Do(ctx, addr) },
		listening: probe.Listening,
		creates:   make(chan struct{}, config.Creating),
		deletes:   make(chan struct{}, config.Creating),
		detached:  make(chan struct{}),
		revisions: make(map[string]*loop),
		routes:    make(map[string][]string),
		starts:    make(map[string]*startTimes),
	}
}

// Add begins to keep a revision, with the image of each of its containers in
// their order, which must stay until Remove has returned. past are the records
// of its instances that have not ended: those that live are taken over by the
// time Add returns. It starts nothing by itself but what scale has it start.
// Errors: ErrKnown, *scheduler.CapacityError, and what is wrong with rev.
func (f *Fleet) Add(rev *runpb.Revision, images []*rimage.Image, scale Scale, past []Record) error {
	p, err := newPlan(&f.config, rev, images)
	if err != nil {
		return fmt.Errorf("revision %s: %w", rev.GetName(), err)
	}
	if err := f.config.Budget.Check(p.need); err != nil {
		return fmt.Errorf("revision %s: %w", rev.GetName(), err)
	}
	l := newLoop(f, p, scale)
	if err := f.enter(l); err != nil {
		return fmt.Errorf("revision %s: %w", rev.GetName(), err)
	}
	f.loops.Go(func() {
		defer f.leave(l)
		l.run(past)
	})
	select {
	case <-l.adopted:
	case <-l.left:
	}
	return nil
}

// enter has a loop known.
func (f *Fleet) enter(l *loop) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.revisions[l.plan.name] != nil {
		return ErrKnown
	}
	f.revisions[l.plan.name] = l
	if f.starts[l.owner()] == nil {
		f.starts[l.owner()] = new(startTimes)
	}
	l.pool.SetPatience(f.starts[l.owner()].patience())
	l.wishes.routed = f.routed(l.plan.name)
	return nil
}

// leave forgets a loop.
func (f *Fleet) leave(l *loop) {
	f.unprepare(l)
	f.mu.Lock()
	delete(f.revisions, l.plan.name)
	last := true
	for _, other := range f.revisions {
		last = last && other.owner() != l.owner()
	}
	if last {
		delete(f.starts, l.owner())
	}
	f.mu.Unlock()
	close(l.left)
}

// find is the loop of a revision; nil if it is not known.
func (f *Fleet) find(revision string) *loop {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revisions[revision]
}

// SetScale changes how many instances a revision may have.
func (f *Fleet) SetScale(revision string, scale Scale) {
	if l := f.find(revision); l != nil {
		l.wish(func(w *wishes) { w.scale = scale })
	}
}

// Remove stops a revision's instances, as the contract has it, and returns when
// nothing is left of them. Errors: ErrDetached, the cause of ctx's end, after
// which they are stopped all the same.
func (f *Fleet) Remove(ctx context.Context, revision string) error {
	l := f.find(revision)
	if l == nil {
		return nil
	}
	l.wish(func(w *wishes) { w.removed = true })
	select {
	case <-l.left:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if f.isDetached() {
		return ErrDetached
	}
	return nil
}

// Detach lets go of everything: no instance is touched any more, so that another
// process can go on with them. Wait returns when what was under way is over.
func (f *Fleet) Detach() { f.detachOnce.Do(func() { close(f.detached) }) }

// Wait returns after Detach, or Remove of all, when nothing is under way.
func (f *Fleet) Wait() { f.loops.Wait() }

func (f *Fleet) isDetached() bool {
	select {
	case <-f.detached:
		return true
	default:
		return false
	}
}

// await returns when what t stands for is durable; false if the fleet was
// detached before.
func (f *Fleet) await(t scheduler.Ticket) bool {
	if t == nil {
		return true
	}
	select {
	case <-t.Done():
		return true
	case <-f.detached:
		return false
	}
}
