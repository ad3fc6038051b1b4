package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Group is one group, under the same path in every hierarchy of a host. It
// holds no state: a group need not exist, and two values of the same path are
// alike. Its methods are safe for concurrent use; those that read answer
// fs.ErrNotExist for a group that is not there.
type Group struct {
	host *Host
	path string
}

// Group is the group at path, such as "/runnel/main/job-x7k2p-task0". It
// touches nothing. A path that is not absolute and clean, or is the root,
// answers ErrPath.
func (h *Host) Group(path string) (*Group, error) {
	if err := checkPath(path); err != nil {
		return nil, fmt.Errorf("cgroup %q: %w", path, err)
	}
	return &Group{host: h, path: path}, nil
}

// Path is the group's path, the same in all hierarchies. It is what an OCI
// runtime specification has as cgroupsPath.
func (g *Group) Path() string { return g.path }

// Join puts the process pid into the group of the v2 hierarchy, and creates it
// there if need be. What pid starts from then on is in it too, and Kill reaches
// all of it at once. On a host without that hierarchy Join does nothing.
func (g *Group) Join(pid int) error {
	if g.host.Unified == "" {
		return nil
	}
	dir := filepath.Join(g.host.Unified, g.path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create cgroup %s: %w", g.path, err)
	}
	if err := writeFile(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
		return fmt.Errorf("put process %d into cgroup %s: %w", pid, g.path, err)
	}
	return nil
}

// Procs lists the processes of the group and of the groups below it, in any
// hierarchy, in ascending order. Ended processes that nobody has waited for are
// not in it. While processes fork and end, the list is neither complete nor up
// to date. A group that is not there has none.
func (g *Group) Procs() ([]int, error) {
	var all []int
	for _, tree := range g.host.trees() {
		procs, err := treeProcs(filepath.Join(tree, g.path))
		if err != nil {
			return nil, fmt.Errorf("list the processes of cgroup %s: %w", g.path, err)
		}
		all = append(all, procs...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Populated reports whether any process is in the group or below it. In a v2
// hierarchy the kernel keeps count; on Legacy a group can seem empty for a
// moment while its processes fork and end.
func (g *Group) Populated() (bool, error) {
	if g.host.Unified != "" {
		keys, err := readKeys(filepath.Join(g.host.Unified, g.path), "cgroup.events")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("ask whether cgroup %s is empty: %w", g.path, err)
		}
		if g.host.Mode == Unified || keys["populated"] != 0 {
			return keys["populated"] != 0, nil
		}
	}
	procs, err := g.Procs()
	return len(procs) > 0, err
}

// WaitEmpty returns when no process is left in the group or below it, or with
// the cause of ctx's end.
func (g *Group) WaitEmpty(ctx context.Context) error {
	err := retry(ctx, func() (bool, error) {
		populated, err := g.Populated()
		return !populated, err
	})
	if err != nil {
		return fmt.Errorf("wait for cgroup %s to be empty: %w", g.path, err)
	}
	return nil
}

// treeProcs lists the processes in dir and below.
func treeProcs(dir string) ([]int, error) {
	dirs, err := below(dir)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, d := range dirs {
		procs, err := dirProcs(d)
		if err != nil {
			return nil, err
		}
		all = append(all, procs...)
	}
	return all, nil
}

// dirProcs lists the processes of one directory. A threaded group shows none:
// its processes are listed at the head of its domain.
func dirProcs(dir string) ([]int, error) {
	words, err := readWords(dir, "cgroup.procs")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EOPNOTSUPP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var procs []int
	for _, w := range words {
		// Zero stands for a process of a pid namespace we do not see into.
		if pid, err := strconv.Atoi(w); err == nil && pid > 0 {
			procs = append(procs, pid)
		}
	}
	return procs, nil
}

// below lists dir and every directory under it, children before their parents.
// What vanishes meanwhile is left out; a dir that is not there gives none.
func below(dir string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if gone(err) != nil {
			if errors.Is(gone(err), fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	slices.Reverse(dirs)
	return dirs, err
}

// retry asks done until it says so, with pauses that grow from 1 to 50 ms: what
// it waits for is mostly there within a few milliseconds, and if not, takes
// long. It ends with the first error, or with the cause of ctx's end.
func retry(ctx context.Context, done func() (bool, error)) error {
	pause := time.Millisecond
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}
