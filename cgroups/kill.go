package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// killDeadline bounds the rounds of a kill by hand.
	killDeadline = 10 * time.Second
	// freezeDeadline bounds the wait for a freeze, which processes in an
	// uninterruptible sleep can hold up: they cannot fork meanwhile either.
	freezeDeadline = 2 * time.Second
	// batch is how many processes are held by a descriptor at a time.
	batch = 256
)

// Kill sends SIGKILL to every process of the group and of those below it, also
// to those that fork while it does. It does not wait for them to end: WaitEmpty
// does. A group that is not there, or is empty, is no error.
//
// In a v2 hierarchy the kernel does it in one step (Linux 5.14). Where it
// cannot, and where there are processes in the v1 hierarchies only, the group
// is frozen, killed process by process, and thawed, until none is left. The CPU
// quota is lifted, so that what was killed can end.
func (g *Group) Kill() error {
	if err := g.LiftQuota(); err != nil {
		return err
	}
	atOnce, err := g.killAtOnce()
	if err != nil {
		return fmt.Errorf("kill cgroup %s: %w", g.path, err)
	}
	if atOnce {
		strays, err := g.strays()
		if err != nil {
			return fmt.Errorf("kill cgroup %s: %w", g.path, err)
		}
		if !strays {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), killDeadline)
	defer cancel()
	if err := g.killByHand(ctx); err != nil {
		return fmt.Errorf("kill cgroup %s process by process: %w", g.path, err)
	}
	return nil
}

// killAtOnce has the kernel kill the group in the v2 hierarchy. It reports
// false where the kernel cannot or the group is not there.
func (g *Group) killAtOnce() (bool, error) {
	if g.host.Unified == "" {
		return false, nil
	}
	err := writeFile(filepath.Join(g.host.Unified, g.path), "cgroup.kill", "1")
	if errors.Is(gone(err), fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// strays reports whether a process is in the v1 hierarchies but not in the v2
// one. A process that ends between two looks seems to be one; it comes to no
// harm by it.
func (g *Group) strays() (bool, error) {
	if g.host.Mode == Unified {
		return false, nil
	}
	all, err := g.Procs()
	if err != nil || len(all) == 0 {
		return false, err
	}
	reached, err := treeProcs(filepath.Join(g.host.Unified, g.path))
	return slices.ContainsFunc(all, func(pid int) bool { return !slices.Contains(reached, pid) }), err
}

// killByHand kills without the kernel's help, as long as ctx lasts.
func (g *Group) killByHand(ctx context.Context) error {
	return retry(ctx, func() (bool, error) { return g.killFrozen(ctx) })
}

// killFrozen does one round of a kill by hand: nothing that is frozen forks, so
// a frozen group can be listed and killed to the last process. It reports true
// when there was none. Without the freeze that would prove nothing: while
// processes fork and end, a list can be empty and the group not.
func (g *Group) killFrozen(ctx context.Context) (empty bool, err error) {
	freezer := g.freezer()
	freezing, cancel := context.WithTimeout(ctx, freezeDeadline)
	defer cancel()
	if err := freezer.freeze(freezing); err != nil {
		return false, err
	}
	procs, err := g.Procs()
	if err == nil {
		err = signalAll(procs, g.Procs)
	}
	err = errors.Join(err, freezer.thaw())
	return err == nil && len(procs) == 0, err
}

// signalAll kills pids that current still lists once they are held by a
// descriptor: a number alone may have passed to a stranger meanwhile.
func signalAll(pids []int, current func() ([]int, error)) error {
	for part := range slices.Chunk(pids, batch) {
		held := make([]*os.Process, 0, len(part))
		for _, pid := range part {
			if p, err := os.FindProcess(pid); err == nil {
				held = append(held, p)
			}
		}
		members, err := current()
		for _, p := range held {
			if slices.Contains(members, p.Pid) {
				_ = p.Kill() // it may have ended; the next round looks again
			}
			_ = p.Release()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
