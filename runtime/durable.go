package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"runnel/runtime/shim"
)

// endTime bounds the calls with which a durable launcher ends an idle shim.
const endTime = 30 * time.Second

// openDurable finds the shim that lives in the directory, or starts one, and
// sees to it from then on that there is one.
func (l *Launcher) openDurable() error {
	k, err := l.findOrStart()
	if err != nil {
		return err
	}
	if err := l.recall(k); err != nil {
		return errors.Join(err, k.client.Close(), k.process.Close())
	}
	l.keepers.replaced = true
	l.keepers.set(k, nil)
	var ctx context.Context
	ctx, l.stop = context.WithCancel(context.Background())
	l.supervising.Go(func() { l.supervise(ctx, k) })
	return nil
}

// findOrStart meets the shim of the directory. Whoever holds the shim's lock is
// one, if perhaps one that is about to end.
func (l *Launcher) findOrStart() (*keeper, error) {
	deadline := time.Now().Add(lockTime)
	for {
		held, err := lock(l.shimLock(), 0)
		if err == nil {
			return l.start(held)
		}
		if !errors.Is(err, ErrLocked) {
			return nil, err
		}
		k, err := l.find()
		if !errors.Is(err, shim.ErrGone) || time.Now().After(deadline) {
			return k, err
		}
		<-time.After(lockPause)
	}
}

// find meets a shim that lives.
func (l *Launcher) find() (_ *keeper, err error) {
	k := &keeper{began: time.Now()}
	k.client, err = shim.Dial(l.shimDir(), func(x shim.Exit) { l.exits.deliver(k, x) })
	if err != nil {
		return nil, err
	}
	if k.process, err = shim.Find(l.shimDir(), k.client.PID()); err != nil {
		return nil, errors.Join(err, k.client.Close())
	}
	err = l.prepareGroup()
	if err == nil {
		err = l.defineFilter(k) // it answers: the process is still the shim's
	}
	if err != nil {
		return nil, errors.Join(err, k.client.Close(), k.process.Close())
	}
	return k, nil
}

// start begins anew, where there is no shim, with what is left of one ended and
// removed. It takes over held, the shim's lock.
func (l *Launcher) start(held *os.File) (*keeper, error) {
	defer held.Close()
	if err := l.sweep(); err != nil {
		return nil, err
	}
	if err := l.prepareGroup(); err != nil {
		return nil, errors.Join(err, l.sweep())
	}
	k, err := l.spawn(held)
	if err != nil {
		return nil, errors.Join(err, l.sweep())
	}
	return k, nil
}

// closeDurable lets go of the shim and its instances, or ends it if it has none.
func (l *Launcher) closeDurable() error {
	if l.closed.Swap(true) {
		return nil // what was let go is not this launcher's any more
	}
	l.stop()
	l.supervising.Wait()
	l.exits.letGo()
	k := l.keepers.take(ErrClosed)
	var errs []error
	switch {
	case k == nil: // it died, and nobody has taken its place: none lives on
		return l.clear()
	case k.gone():
		k.process.Kill()
		return errors.Join(k.client.Close(), l.clear())
	case l.Idle():
		err := l.end(k)
		if err == nil {
			return l.clear()
		}
		errs = append(errs, err)
	default:
		errs = append(errs, k.client.Close(), k.process.Close())
	}
	taken, free := l.slots.abandon()
	errs = append(errs, closeSlots(free))
	errs = append(errs, l.network.Leave()) // what is taken stays connected
	errs = append(errs, closeSlots(taken), l.metadata.Close(), l.lock.Close())
	return errors.Join(errs...)
}

// clear gives everything back, where there is no shim and no instance any more.
func (l *Launcher) clear() error {
	return errors.Join(l.slots.drain(), l.metadata.Close(), l.sweep(), l.lock.Close())
}

// end has a shim that keeps nothing end itself, and waits until it is gone.
func (l *Launcher) end(k *keeper) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	err := k.client.End(ctx)
	err = errors.Join(err, k.client.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("end shim: %w", err), k.process.Close())
	}
	gone, err := lock(l.shimLock(), endTime)
	if err != nil {
		k.process.Kill()
		return fmt.Errorf("end shim: %w", err)
	}
	k.process.Reap()
	return gone.Close()
}
