package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"runnel/metadata"
	rnet "runnel/net"
	"runnel/runtime/shim"
)

// endAtOnce is how many survivors are ended at the same time.
const endAtOnce = 8

// survivors are the instances that an earlier launcher created and that nobody
// has adopted yet.
type survivors struct {
	// mu guards left.
	mu   sync.Mutex
	left map[string]*ending
}

func (p *survivors) put(id string, e *ending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == nil {
		p.left = map[string]*ending{}
	}
	p.left[id] = e
}

// take returns the survivor id to one caller alone.
func (p *survivors) take(id string) (*ending, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.left[id]
	delete(p.left, id)
	return e, ok
}

// recall learns from the shim which instances there are. It asks twice: an exit
// between an instance's first mention and its registration is in the second
// answer, and a later one arrives by itself.
func (l *Launcher) recall(k *keeper) error {
	for range 2 {
		all, err := k.client.List(context.Background())
		if err != nil {
			return fmt.Errorf("list instances: %w", err)
		}
		for _, i := range all {
			l.remember(k, &i)
		}
	}
	return nil
}

// remember makes a survivor of an instance of the shim's, or learns more of one.
func (l *Launcher) remember(k *keeper, i *shim.Instance) {
	end, ok := l.survivors.take(i.ID)
	if !ok {
		end, _ = l.exits.expect(i.ID, k, places(i)) // the first of its name
	}
	var exits []shim.Exit
	for n, c := range i.Containers {
		switch {
		case c.Exit != nil:
			exits = append(exits, *c.Exit)
			end.parts[c.Exit.Container].started.Store(c.Exit.Started)
		case c.State == shim.Running:
			end.parts[n].started.Store(true)
		}
	}
	// The instance ended with the first.
	slices.SortFunc(exits, func(a, b shim.Exit) int { return a.At.Compare(b.At) })
	for _, x := range exits {
		l.exits.deliver(k, x)
	}
	l.survivors.put(i.ID, end)
}

// places is how many containers an instance has; at least so many of one of which
// only exits are left.
func places(i *shim.Instance) int {
	n := len(i.Containers)
	for _, c := range i.Containers {
		if c.Exit != nil {
			n = max(n, c.Exit.Container+1)
		}
	}
	return n
}

// Survivors are the IDs, in order, of the instances that an earlier durable
// launcher left and nobody has adopted yet: waiting, running, or ended and not
// deleted. One whose shim has died since has ended as lost.
func (l *Launcher) Survivors() []string {
	l.survivors.mu.Lock()
	defer l.survivors.mu.Unlock()
	return slices.Sorted(maps.Keys(l.survivors.left))
}

// Adopt takes over the survivor s.ID: its process, its log and its network are
// what they were, and the metadata server answers it as s.Identity again. Of s
// only these two count, and the CPU limits of its containers, which Stop needs. The
// caller must Delete it. A survivor whose network is
// gone is ended: it could never be what it was. Errors: ErrNotFound if there is no
// such survivor, or none any more; after any other it is still one.
func (l *Launcher) Adopt(ctx context.Context, s Spec) (*Instance, error) {
	left, ok := l.survivors.take(s.ID)
	if !ok {
		return nil, fmt.Errorf("adopt instance %s: %w", s.ID, ErrNotFound)
	}
	i := l.revive(s.ID, left)
	i.ended.cpu.limit(s.Containers)
	err := l.reconnect(ctx, i, s.Identity)
	if errors.Is(err, rnet.ErrNotAttached) {
		end := i.Delete(ctx)
		if end == nil {
			return nil, fmt.Errorf("adopt instance %s: %w: %w", s.ID, ErrNotFound, err)
		}
		err = errors.Join(err, end)
	}
	if err != nil {
		l.survivors.put(s.ID, left)
		return nil, fmt.Errorf("adopt instance %s: %w", s.ID, err)
	}
	return i, nil
}

// reconnect gives a survivor its slot, unless nobody is left in there to be
// answered.
func (l *Launcher) reconnect(ctx context.Context, i *Instance, identity metadata.Identity) error {
	if i.ended.over() {
		return nil
	}
	files, err := i.client().Fetch(ctx, i.id)
	if errors.Is(err, shim.ErrGone) && !l.closed.Load() {
		return nil // it has just been lost, as its end will tell
	}
	if err != nil {
		return l.lost(err)
	}
	i.slot, err = l.reopenSlot(ctx, files, identity)
	return err
}

// revive is the instance of a survivor, without its slot.
func (l *Launcher) revive(id string, e *ending) *Instance {
	return &Instance{id: id, launcher: l, ended: e}
}

// EndSurvivors ends and deletes every instance that nobody has adopted. Each is
// tried; those that cannot be deleted stay survivors. It begins none any more
// once ctx has ended.
func (l *Launcher) EndSurvivors(ctx context.Context) error {
	ids := l.Survivors()
	errs := make([]error, len(ids))
	var ending sync.WaitGroup
	free := make(chan struct{}, endAtOnce)
	for n, id := range ids {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // also where there was room at the same time
			errs[n] = context.Cause(ctx)
			break
		}
		ending.Go(func() {
			defer func() { <-free }()
			errs[n] = l.endSurvivor(ctx, id)
		})
	}
	ending.Wait()
	return errors.Join(errs...)
}

func (l *Launcher) endSurvivor(ctx context.Context, id string) error {
	s, ok := l.survivors.take(id)
	if !ok {
		return nil // adopted, or ended by another
	}
	if err := l.revive(id, s).Delete(ctx); err != nil {
		l.survivors.put(id, s)
		return fmt.Errorf("end instance %s, which nobody adopted: %w", id, err)
	}
	return nil
}
