package runtime

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"runnel/contract"
	"runnel/runtime/shim"
)

// Instance is one instance, from Create to Delete. Its methods may be called
// from several goroutines.
type Instance struct {
	id       string
	launcher *Launcher
	ended    *ending
	// slot is nil for an adopted instance that had ended.
	slot *slot

	// deleting serialises Delete and guards deleted.
	deleting sync.Mutex
	deleted  bool
}

// ContainerID is the ID of an instance's container by its place, which names its
// cgroup and its log file: the instance's for the first.
func ContainerID(instance string, n int) string {
	if n == 0 {
		return instance
	}
	return instance + "-" + strconv.Itoa(n)
}

// ID is the instance's name.
func (i *Instance) ID() string { return i.id }

// Addr is the instance's address in the instances' network, which its containers
// share; the zero Addr for an adopted instance that had ended.
func (i *Instance) Addr() netip.Addr {
	if i.slot == nil {
		return netip.Addr{}
	}
	return i.slot.Addr()
}

// client calls the shim that keeps the instance.
func (i *Instance) client() *shim.Client { return i.ended.keeper.client }

// Start lets the entrypoints of all containers run, in their order; none may have
// been started. Errors: ErrKeeperGone, ErrLost, ErrClosed.
func (i *Instance) Start(ctx context.Context) error {
	for n := range i.ended.parts {
		if err := i.StartContainer(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// StartContainer lets the entrypoint of one container run, by its place in the
// Spec; each can be started once. Errors: as Start.
func (i *Instance) StartContainer(ctx context.Context, n int) error {
	if n < 0 || n >= len(i.ended.parts) {
		return fmt.Errorf("start instance %s: %w: it has no container %d", i.id, ErrNotFound, n)
	}
	if err := i.client().Start(ctx, i.id, n); err != nil {
		return i.launcher.lost(err)
	}
	i.ended.parts[n].started.Store(true)
	return nil
}

// Started reports whether a container has been started, be it by an earlier
// launcher.
func (i *Instance) Started() bool { return i.ended.started() }

// Wait blocks until the first of the instance's containers has ended, also one
// that was never started, and tells how. The others may run on: without one of
// them an instance is none any more, and to be stopped. An instance whose shim has
// gone away has ended as lost. Errors: the context's, and ErrClosed where the
// instance lives on without the launcher.
func (i *Instance) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-i.ended.seen:
		return i.ended.exit, nil
	case <-i.client().Done():
	case <-ctx.Done():
		return Exit{}, context.Cause(ctx)
	}
	switch {
	case i.ended.over(): // its exit was the last that came
		return i.ended.exit, nil
	case i.launcher.closed.Load():
		return Exit{}, ErrClosed
	}
	return Exit{Exit: contract.Exit{Lost: true}, At: time.Now()}, nil
}
