package runtime

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
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
	slot    *slot
	started atomic.Bool

	// deleting serialises Delete and guards deleted.
	deleting sync.Mutex
	deleted  bool
}

// ID is the instance's name.
func (i *Instance) ID() string { return i.id }

// client calls the shim that keeps the instance.
func (i *Instance) client() *shim.Client { return i.ended.keeper.client }

// Start lets the instance's entrypoint run. Errors: ErrKeeperGone, ErrLost,
// ErrClosed.
func (i *Instance) Start(ctx context.Context) error {
	if err := i.client().Start(ctx, i.id); err != nil {
		return i.launcher.lost(err)
	}
	i.started.Store(true)
	return nil
}

// Started reports whether Start has succeeded, be it that of an earlier launcher.
func (i *Instance) Started() bool { return i.started.Load() }

// Wait blocks until the instance has ended and tells how. An instance whose
// shim has gone away has ended as lost. Errors: the context's, and ErrClosed
// where the instance lives on without the launcher.
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

// Signal sends sig to the instance's main process. One that has ended already
// is no error. Errors: as Start.
func (i *Instance) Signal(ctx context.Context, sig syscall.Signal) error {
	return i.launcher.lost(ignoreStopped(i.client().Signal(ctx, i.id, sig)))
}

// Kill ends every process of the instance at once. Errors: as Signal.
func (i *Instance) Kill(ctx context.Context) error {
	return i.launcher.lost(ignoreStopped(i.client().Kill(ctx, i.id)))
}

// Stop sends SIGTERM, and SIGKILL to whatever is left after grace; without any
// grace it only kills. It returns when the instance has ended. If ctx ends
// first, the instance is killed without waiting longer. Errors: as Start, and the
// context's.
func (i *Instance) Stop(ctx context.Context, grace time.Duration) error {
	if grace > 0 {
		if err := i.Signal(ctx, syscall.SIGTERM); err != nil {
			return err
		}
		limit, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if _, err := i.Wait(limit); err == nil {
			return nil
		}
	}
	// Whatever becomes of ctx, and of the shim.
	kill, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	if err := i.Kill(kill); err != nil {
		return err
	}
	_, err := i.Wait(ctx)
	return err
}

// killTime bounds the call that kills; the shim answers at once.
const killTime = 30 * time.Second

// deleteTime bounds one Delete. Ending and removing a container takes
// milliseconds; only a kernel that will not let go of it takes longer.
const deleteTime = time.Minute

// Delete ends the instance if it still runs, and gives back all it held on the
// host. Its log file stays. It is carried through even if ctx ends, for a
// minute at most. If it fails it may be called again; once it has succeeded it
// does nothing more. Of a durable launcher's instance the end is on record until
// then, also for the launchers that follow. Errors: ErrClosed.
func (i *Instance) Delete(ctx context.Context) error {
	i.deleting.Lock()
	defer i.deleting.Unlock()
	if i.deleted {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTime)
	defer cancel()
	err := i.client().Delete(ctx, i.id)
	gone := errors.Is(err, shim.ErrGone)
	if gone && i.launcher.closed.Load() {
		return ErrClosed // it may well live on
	}
	if gone {
		err = i.launcher.bury(ctx, i.id)
	}
	if err != nil {
		return err
	}
	i.deleted = true
	i.launcher.exits.forget(i.id)
	switch {
	case i.slot == nil:
		return nil
	case gone:
		return i.launcher.slots.drop(i.slot) // nobody has seen the instance end
	}
	return i.launcher.slots.put(i.slot)
}

func ignoreStopped(err error) error {
	if errors.Is(err, shim.ErrStopped) {
		return nil
	}
	return err
}
