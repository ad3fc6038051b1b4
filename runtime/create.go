package runtime

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"runnel/runtime/shim"
)

// createTime bounds a creation, which takes tens of milliseconds on a host that
// is not drowning.
const createTime = 2 * time.Minute

// Create makes an instance up to the exec of its entrypoint. On failure nothing
// of it is left. The caller must Delete it. Errors: ErrUnstartable, ErrExists,
// ErrKeeperGone.
func (l *Launcher) Create(ctx context.Context, s Spec) (_ *Instance, err error) {
	if len(argv(&s)) == 0 {
		return nil, shim.Unstartable("image names no entrypoint and no command, and none was given")
	}
	ended, ok := l.exits.expect(s.ID)
	if !ok {
		return nil, fmt.Errorf("instance %s: %w", s.ID, ErrExists)
	}
	defer func() {
		if err != nil {
			l.exits.forget(s.ID)
		}
	}()
	place := l.slots.take()
	if place == nil {
		if place, err = l.openSlot(ctx); err != nil {
			return nil, err
		}
	}
	identity := s.Identity
	place.identity.Store(&identity)
	// Carried through even if ctx ends: half a creation could not be taken back.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer cancel()
	err = l.client.Create(limit, &shim.CreateRequest{
		ID:       s.ID,
		Spec:     ociSpec(&s, &l.facts),
		Filter:   l.filter,
		Layers:   s.Image.Layers,
		Files:    files(&s, place.Addr().String()),
		User:     s.Image.Config.User,
		LogPath:  l.LogPath(s.ID),
		LogLimit: int64(l.cfg.LogLimit),
	}, place.Namespace())
	if errors.Is(err, context.DeadlineExceeded) {
		// The shim may yet finish it: it is to be deleted, and the slot is lost.
		return nil, errors.Join(fmt.Errorf("create instance %s: %w", s.ID, err), l.giveUp(s.ID), l.slots.drop(place))
	}
	if err != nil {
		return nil, errors.Join(err, l.slots.put(place))
	}
	return &Instance{id: s.ID, launcher: l, slot: place, ended: ended}, nil
}

// giveUp has the shim delete a container as soon as its creation ends.
func (l *Launcher) giveUp(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), deleteTime)
	defer cancel()
	return l.client.Delete(ctx, id)
}

// bury ends an instance whose shim has gone away without it, and removes what
// is left of it: a process lives on without its parent, a cgroup without either.
func (l *Launcher) bury(ctx context.Context, id string) error {
	limit, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	if err := l.host.Sweep(limit, path.Join(l.cfg.CgroupParent, id)); err != nil {
		return fmt.Errorf("end instance %s without its keeper: %w", id, err)
	}
	return nil
}
