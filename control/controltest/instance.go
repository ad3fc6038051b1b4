package controltest

import (
	"context"
	"sync"
	"syscall"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// instance is one fake instance.
type instance struct {
	host   *Instances
	spec   rruntime.Spec
	script Script
	// reign is the one that has created it or taken it over; guarded by host.mu.
	// One that a reign has left to nobody is deleted when its ID is used again.
	reign int

	mu      sync.Mutex
	started bool          // guarded by mu
	exit    rruntime.Exit // guarded by mu
	over    bool          // guarded by mu
	// ended is closed when over.
	ended chan struct{}
}

// handle is an instance in the hands of one control plane. It implements
// scheduler.Instance.
type handle struct {
	*instance
	reign int
}

// current says whether the handle's control plane is the one that decides.
func (h *handle) current() error {
	h.host.mu.Lock()
	defer h.host.mu.Unlock()
	if h.reign != h.host.reign {
		return errReign
	}
	return nil
}

func (x *instance) runs() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.started && !x.over
}

// end ends the process, if it has not ended.
func (x *instance) end(exit contract.Exit) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over {
		x.over = true
		x.exit = rruntime.Exit{Exit: exit, At: time.Now()}
		close(x.ended)
	}
}

// Start lets the process run.
func (h *handle) Start(context.Context) error {
	if err := h.current(); err != nil {
		return err
	}
	h.host.mu.Lock()
	h.host.started[h.spec.ID]++
	if n := h.host.started[h.spec.ID]; n > 1 {
		h.host.t.Errorf("instance %s was started %d times", h.spec.ID, n)
	}
	h.host.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = true
	if !h.script.Hold {
		time.AfterFunc(h.script.Runs, func() { h.end(h.script.Exit) })
	}
	return nil
}

// Started reports whether Start was called.
func (h *handle) Started() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.started
}

// Wait returns when the process has ended.
func (h *handle) Wait(ctx context.Context) (rruntime.Exit, error) {
	select {
	case <-h.ended:
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.exit, h.current()
	case <-ctx.Done():
		return rruntime.Exit{}, context.Cause(ctx)
	}
}

// Stop ends the process, gently at first.
func (h *handle) Stop(ctx context.Context, grace time.Duration) error {
	if err := h.current(); err != nil {
		return err
	}
	switch {
	case grace > 0 && !h.script.Deaf:
		exit := contract.Exit{Signal: syscall.SIGTERM}
		if h.script.OnTerm != nil {
			exit = *h.script.OnTerm
		}
		h.end(exit)
	case grace > 0:
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-h.ended:
			return nil
		case <-ctx.Done():
			h.end(killed())
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
	h.end(killed())
	return nil
}

// Delete takes the instance away.
func (h *handle) Delete(context.Context) error {
	if err := h.current(); err != nil {
		return err
	}
	h.end(killed())
	h.host.mu.Lock()
	defer h.host.mu.Unlock()
	delete(h.host.all, h.spec.ID)
	return nil
}
