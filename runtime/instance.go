package runtime

import (
	"context"
	"errors"
	"sync"
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
	slot     *slot
	ended    *ending

	// once makes Delete idempotent.
	once    sync.Once
	deleted error
}

// ID is the instance's name.
func (i *Instance) ID() string { return i.id }

// Start lets the instance's entrypoint run. Errors: ErrKeeperGone.
func (i *Instance) Start(ctx context.Context) error {
	return i.launcher.client.Start(ctx, i.id)
}

// Wait blocks until the instance has ended and tells how. An instance whose
// shim has gone away has ended as lost. The error is the context's.
func (i *Instance) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-i.ended.seen:
		return i.ended.exit, nil
	case <-i.launcher.exits.gone:
	case <-ctx.Done():
		return Exit{}, context.Cause(ctx)
	}
	select {
	case <-i.ended.seen: // its exit was the last that came
		return i.ended.exit, nil
	default:
		return Exit{Exit: contract.Exit{Lost: true}, At: time.Now()}, nil
	}
}

// Signal sends sig to the instance's main process. One that has ended already
// is no error. Errors: ErrKeeperGone.
func (i *Instance) Signal(ctx context.Context, sig syscall.Signal) error {
	return ignoreStopped(i.launcher.client.Signal(ctx, i.id, sig))
}

// Kill ends every process of the instance at once. Errors: as Signal.
func (i *Instance) Kill(ctx context.Context) error {
	return ignoreStopped(i.launcher.client.Kill(ctx, i.id))
}

// Stop sends SIGTERM, and SIGKILL to whatever is left after grace; it returns
// when the instance has ended. If ctx ends first, the instance is killed
// without waiting longer. Errors: ErrKeeperGone, the context's.
func (i *Instance) Stop(ctx context.Context, grace time.Duration) error {
	if err := i.Signal(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if _, err := i.Wait(limit); err == nil {
		return nil
	}
	if err := i.Kill(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	_, err := i.Wait(ctx)
	return err
}

// Delete ends the instance if it still runs, and gives back all it held on the
// host. Its log file stays. It is carried through even if ctx ends, and may be
// called again, which returns the same.
func (i *Instance) Delete(ctx context.Context) error {
	i.once.Do(func() {
		ctx := context.WithoutCancel(ctx)
		err := i.launcher.client.Delete(ctx, i.id)
		if errors.Is(err, ErrKeeperGone) {
			err = i.launcher.bury(ctx, i.id)
		}
		i.launcher.exits.forget(i.id)
		i.deleted = errors.Join(err, i.vacate(err == nil))
	})
	return i.deleted
}

// vacate gives the slot back; only a slot whose instance is known to be gone
// may be used again.
func (i *Instance) vacate(empty bool) error {
	if !empty {
		return i.slot.close()
	}
	return i.launcher.slots.put(i.slot)
}

func ignoreStopped(err error) error {
	if errors.Is(err, shim.ErrStopped) {
		return nil
	}
	return err
}
