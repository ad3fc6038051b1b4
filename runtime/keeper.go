package runtime

import (
	"context"
	"errors"
	"sync"
	"time"

	"runnel/runtime/shim"
)

// keeper is one shim, and the connection to it.
type keeper struct {
	process *shim.Process
	client  *shim.Client
	// filter is the name of the system-call filter there.
	filter string
	// began is when this launcher met it.
	began time.Time
}

// gone reports whether the connection to it has ended.
func (k *keeper) gone() bool {
	select {
	case <-k.client.Done():
		return true
	default:
		return false
	}
}

// keepers knows the shim that keeps new instances. Of a durable launcher it is
// another one from time to time, and between two there is none.
type keepers struct {
	// replaced says that one that has gone gives way to another.
	replaced bool
	// mu guards what follows.
	mu      sync.Mutex
	current *keeper
	// why there is none: nil if one is on its way.
	why error
	// changed is closed, and made anew, when any of this changes.
	changed chan struct{}
}

// set makes k the current keeper, or says why there is none.
func (p *keepers) set(k *keeper, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.why = k, why
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// get returns the current keeper, or waits for the next as long as ctx lasts: a
// host that could not start one in one second may in the next, and who does not
// wait uses up his tries meanwhile.
func (p *keepers) get(ctx context.Context) (*keeper, error) {
	for {
		p.mu.Lock()
		k, why := p.current, p.why
		if k != nil && p.replaced && k.gone() {
			k = nil // as will be said in a moment
		}
		if k == nil && p.changed == nil {
			p.changed = make(chan struct{})
		}
		changed := p.changed
		p.mu.Unlock()
		switch {
		case k != nil:
			return k, nil
		case errors.Is(why, ErrClosed):
			return nil, why // for good
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, errors.Join(why, context.Cause(ctx))
		}
	}
}

// take returns the current keeper, if there is one, and answers why from now on.
func (p *keepers) take(why error) *keeper {
	p.mu.Lock()
	k := p.current
	p.mu.Unlock()
	p.set(nil, why)
	return k
}

// lost makes of an error of a durable launcher's shim, or of a call to it, the one
// that callers see: the shim that is gone is not the last.
func (l *Launcher) lost(err error) error {
	switch {
	case l.cfg.Ephemeral || !errors.Is(err, shim.ErrGone):
		return err
	case l.closed.Load():
		return ErrClosed
	}
	return ErrLost
}
