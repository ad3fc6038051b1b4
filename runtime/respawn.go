package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long the next shim is waited for after one has died: not at all at first,
// and ever longer while they die young.
const (
	minRespawn = time.Second
	maxRespawn = 30 * time.Second
	// grownUp is the age from which on a shim's death counts as the first.
	grownUp = time.Minute
)

// longerPause is the pause before the next try, after one that followed on last.
func longerPause(last time.Duration) time.Duration {
	return min(max(2*last, minRespawn), maxRespawn)
}

// supervise puts another shim in the place of k when it goes away, and of each
// that follows, until ctx ends.
func (l *Launcher) supervise(ctx context.Context, k *keeper) {
	var pause time.Duration
	for {
		select {
		case <-k.client.Done():
		case <-ctx.Done():
			return
		}
		l.keepers.set(nil, nil)
		k.process.Kill() // if it lives: a shim that nobody can reach is none
		_ = k.client.Close()
		if time.Since(k.began) >= grownUp {
			pause = 0
		}
		if k, pause = l.succeed(ctx, pause); k == nil {
			return
		}
	}
}

// succeed starts a shim after the given pause, and tries again, ever later, until
// one stands or ctx ends. It returns the pause after which to try the next time.
func (l *Launcher) succeed(ctx context.Context, pause time.Duration) (*keeper, time.Duration) {
	for {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, pause
		}
		pause = longerPause(pause)
		k, err := l.replace()
		l.keepers.set(k, err)
		if err == nil {
			return k, pause
		}
	}
}

// replace removes what is left of a shim that has died and of its instances, all
// of which are lost, and starts another.
func (l *Launcher) replace() (*keeper, error) {
	held, err := lock(l.shimLock(), lockTime)
	if err != nil {
		return nil, err
	}
	k, err := l.start(held)
	if err != nil {
		// Not for %w: this launcher's keeper is not gone for good.
		return nil, fmt.Errorf("start another shim: %v", err)
	}
	if err = l.forgetOld(k); err == nil {
		err = l.holds.hand(k)
	}
	if err != nil {
		k.process.Kill()
		return nil, errors.Join(fmt.Errorf("start another shim: %v", err), k.client.Close())
	}
	return k, nil
}
