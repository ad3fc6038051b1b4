package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"syscall"
	"time"

	"runnel/runtime/shim"
)

// createTime bounds a creation, which takes tens of milliseconds on a host that
// is not drowning.
const createTime = 2 * time.Minute

// Create makes an instance up to the exec of its entrypoints. On failure nothing
// of it is left. The caller must Delete it. While a durable launcher has no shim
// it waits for the next; when ctx ends first it says why there is none. A survivor
// of that ID, which nobody has adopted, is ended first. Errors: ErrUnstartable,
// ErrExists, ErrKeeperGone, ErrLost, ErrClosed.
func (l *Launcher) Create(ctx context.Context, s Spec) (_ *Instance, err error) {
	if err := checkSpec(&s); err != nil {
		return nil, err
	}
	k, err := l.keepers.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("create instance %s: %w", s.ID, err)
	}
	// What an earlier launcher prepared and nobody wanted to adopt is in the way.
	if err := l.endSurvivor(ctx, s.ID); err != nil {
		return nil, fmt.Errorf("create instance %s: %w", s.ID, err)
	}
	ended, ok := l.exits.expect(s.ID, k, len(s.Containers))
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
	if err := l.createIn(ctx, k, &s, place); err != nil {
		return nil, err
	}
	ended.cpu.limit(s.Containers)
	return &Instance{id: s.ID, launcher: l, slot: place, ended: ended}, nil
}

// createIn has k create the instance in a slot, which on failure is given back.
// It is carried through even if ctx ends: half a creation could not be taken
// back.
func (l *Launcher) createIn(ctx context.Context, k *keeper, s *Spec, place *slot) error {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer cancel()
	err := k.client.Create(limit, l.request(s, k.filter, place.Addr()), place.Namespace(), l.outlasting(place)...)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		// The shim may yet finish it: it is to be deleted, and the slot is lost.
		return errors.Join(fmt.Errorf("create instance %s: %w", s.ID, err), giveUp(k, s.ID), l.slots.drop(place))
	case errors.Is(err, shim.ErrGone) && !l.cfg.Ephemeral:
		// Nobody knows how far it came, and what is still in the slot.
		return errors.Join(l.lost(err), l.slots.drop(place))
	}
	return errors.Join(err, l.slots.put(place))
}

// request is what the shim is told of an instance that will have the address at.
func (l *Launcher) request(s *Spec, filter string, at netip.Addr) *shim.CreateRequest {
	r := &shim.CreateRequest{ID: s.ID, Filter: filter, Group: instanceGroup(s, &l.facts)}
	for _, v := range s.Volumes {
		r.Volumes = append(r.Volumes, shim.Volume{Size: v.Size})
	}
	for n := range s.Containers {
		c, id := &s.Containers[n], ContainerID(s.ID, n)
		spec := ociSpec(s, n, &l.facts)
		spec.Process.Env = environ(spec.Process.Env, addressEnv(c, at.String()))
		r.Containers = append(r.Containers, shim.ContainerRequest{
			ID:       id,
			Name:     c.Name,
			Spec:     spec,
			Layers:   c.Image.Layers,
			Files:    files(s, at.String()),
			User:     c.Image.Config.User,
			Mounts:   volumeMounts(s, c),
			LogPath:  l.LogPath(id),
			LogLimit: int64(l.cfg.LogLimit),
		})
	}
	return r
}

// outlasting is what of a slot the shim of a durable launcher holds beside the
// namespace.
func (l *Launcher) outlasting(s *slot) []syscall.Conn {
	if l.cfg.Ephemeral {
		return nil
	}
	return s.sockets.conns()
}

// giveUp has the shim delete a container as soon as its creation ends.
func giveUp(k *keeper, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), deleteTime)
	defer cancel()
	return k.client.Delete(ctx, id)
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
