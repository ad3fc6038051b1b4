package runtime

import (
	"context"
	"errors"
	"syscall"
	"time"

	"runnel/runtime/shim"
)

// killTime bounds the call that kills; the shim answers at once.
const killTime = 30 * time.Second

// deleteTime bounds one Delete. Ending and removing a container takes
// milliseconds; only a kernel that will not let go of it takes longer.
const deleteTime = time.Minute

// Signal sends sig to the main process of each container that runs. An instance
// that has ended already is no error. Errors: as Start.
func (i *Instance) Signal(ctx context.Context, sig syscall.Signal) error {
	_, err := i.told(i.client().Signal(ctx, i.id, sig))
	return err
}

// Kill ends every process of the instance at once. Errors: as Signal.
func (i *Instance) Kill(ctx context.Context) error {
	_, err := i.told(i.client().Kill(ctx, i.id))
	return err
}

// told makes nothing of it that the shim could not reach any container because all
// had ended, perhaps so long ago that only an exit is left.
func (i *Instance) told(err error) (over bool, _ error) {
	if errors.Is(err, shim.ErrStopped) || errors.Is(err, shim.ErrNotFound) && i.ended.over() {
		return true, nil
	}
	return false, i.launcher.lost(err)
}

// Stop sends SIGTERM to every container that runs, and SIGKILL to whatever is left
// after grace; without any grace, and where nothing has been started, it only
// kills. Meanwhile the containers have the CPU that their limits say, whatever
// SetCPU has set. It returns when all have ended. If ctx ends first, the instance
// is killed without waiting longer. Errors: as Start, and the context's.
func (i *Instance) Stop(ctx context.Context, grace time.Duration) error {
	i.giveCPU()
	over, err := false, error(nil)
	if grace > 0 && i.Started() {
		if over, err = i.ask(ctx, grace); err != nil {
			return err
		}
	}
	if !over {
		// Whatever becomes of ctx, and of the shim.
		kill, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
		defer cancel()
		if over, err = i.told(i.client().Kill(kill, i.id)); err != nil {
			return err
		}
	}
	if over {
		_, err = i.Wait(ctx)
		return err
	}
	return i.await(ctx, (*part).isThere)
}

// ask sends SIGTERM and waits, no longer than grace, for the containers that run.
// It reports whether none is left then.
func (i *Instance) ask(ctx context.Context, grace time.Duration) (over bool, err error) {
	if over, err = i.told(i.client().Signal(ctx, i.id, syscall.SIGTERM)); over || err != nil {
		return over, err
	}
	limit, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if i.await(limit, (*part).isStarted) != nil {
		return false, nil // they are killed, which says whether there is an error
	}
	for n := range i.ended.parts {
		if !i.ended.parts[n].isStarted() {
			return false, nil
		}
	}
	return true, nil
}

func (p *part) isStarted() bool { return p.started.Load() }
func (p *part) isThere() bool   { return true }

// await blocks until each container has ended that which chooses. All have with
// their shim. Errors: as Wait.
func (i *Instance) await(ctx context.Context, which func(*part) bool) error {
	for n := range i.ended.parts {
		p := &i.ended.parts[n]
		if !which(p) {
			continue
		}
		select {
		case <-p.over:
			continue
		case <-i.client().Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if i.launcher.closed.Load() && !p.isOver() {
			return ErrClosed
		}
	}
	return nil
}

// Delete ends the instance if it still runs, and gives back all it held on the
// host. Its log files stay. It is carried through even if ctx ends, for a
// minute at most. If it fails it may be called again; once it has succeeded it
// does nothing more. Of a durable launcher's instance the end is on record until
// then, also for the launchers that follow. Errors: ErrClosed.
func (i *Instance) Delete(ctx context.Context) error {
	i.deleting.Lock()
	defer i.deleting.Unlock()
	if i.deleted {
		return nil
	}
	_ = i.ended.cpu.close() // nothing is lost by it
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
