package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"github.com/moby/profiles/seccomp"

	rimage "runnel/image"
	"runnel/internal/undo"
	"runnel/runtime/shim"
)

// shimGroup is the cgroup of a durable shim under the parent of the instances';
// no instance can be called so. What ends every process of the daemon's own group,
// as a service manager may, does not reach the shim there.
const shimGroup = "_shim"

// openEphemeral starts a shim that ends with this process.
func (l *Launcher) openEphemeral(done *undo.Stack) error {
	if err := l.sweep(); err != nil {
		return err
	}
	done.Push(l.sweep) // Prepare may fail half-way
	if err := l.prepareGroup(); err != nil {
		return err
	}
	k, err := l.spawn(l.lock)
	if err != nil {
		return err
	}
	if err := l.forgetOld(k); err != nil {
		return errors.Join(err, k.client.Close(), k.process.Close())
	}
	l.keepers.set(k, nil)
	return nil
}

// prepareGroup readies the cgroup parent.
func (l *Launcher) prepareGroup() error {
	if err := l.host.Prepare(l.cfg.CgroupParent); err != nil {
		return fmt.Errorf("prepare cgroups: %w", err)
	}
	return nil
}

// spawn starts a shim, which holds the lock hold, and meets it.
func (l *Launcher) spawn(hold *os.File) (_ *keeper, err error) {
	k := &keeper{began: time.Now()}
	k.process, err = shim.Spawn(shim.SpawnConfig{Binary: l.cfg.ShimBinary, Dir: l.shimDir(), Lifeline: l.cfg.Ephemeral, Hold: hold})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err == nil {
			return
		}
		if errors.Is(err, shim.ErrGone) {
			err = fmt.Errorf("%w: it says %q", err, k.process.LastWords())
		}
		if l.cfg.Ephemeral {
			err = errors.Join(err, k.process.Close())
		} else {
			k.process.Kill()
		}
	}()
	if !l.cfg.Ephemeral {
		if err := l.setApart(k); err != nil {
			return nil, err
		}
	}
	return k, l.meet(k)
}

// setApart puts a durable shim into a cgroup of its own.
func (l *Launcher) setApart(k *keeper) error {
	group, err := l.host.Group(path.Join(l.cfg.CgroupParent, shimGroup))
	if err != nil {
		return err
	}
	return group.Join(k.process.PID())
}

// meet connects to a shim and defines the filter there.
func (l *Launcher) meet(k *keeper) (err error) {
	k.client, err = shim.Dial(l.shimDir(), func(x shim.Exit) { l.exits.deliver(k, x) })
	if err != nil {
		return err
	}
	if err := l.defineFilter(k); err != nil {
		return errors.Join(err, k.client.Close())
	}
	return nil
}

// defineFilter hands the shim docker's default system-call filter, which
// depends on the capabilities that containers have.
func (l *Launcher) defineFilter(k *keeper) error {
	profile, err := seccomp.GetDefaultProfile(ociSpec(&Spec{Containers: []Container{{Image: new(rimage.Image)}}}, 0, &l.facts))
	if err != nil {
		return fmt.Errorf("build system-call filter: %w", err)
	}
	k.filter, err = k.client.DefineFilter(context.Background(), profile)
	return err
}

// forgetOld acknowledges the exits that an earlier shim left: nobody waits for
// them any more.
func (l *Launcher) forgetOld(k *keeper) error {
	ctx := context.Background()
	old, err := k.client.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range old {
		if err := k.client.Ack(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}
