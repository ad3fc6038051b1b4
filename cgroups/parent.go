package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Prepare creates the group parent, with those above it, in every hierarchy,
// and sees to it that its children can be bounded. Groups that are there
// already are taken as they are.
//
// Under v2 the kernel hands controllers down only through groups without
// processes of their own. Where this process sits in one of them, the group was
// delegated to it (a systemd unit, a container): Prepare moves all its
// processes into a child named "supervisor". Other processes in the way answer
// ErrOccupied.
func (h *Host) Prepare(parent string) error {
	if err := checkPath(parent); err != nil {
		return fmt.Errorf("prepare cgroup %q: %w", parent, err)
	}
	var errs []error
	for _, tree := range h.trees() {
		errs = append(errs, h.prepareTree(tree, parent))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("prepare cgroup %s: %w", parent, err)
	}
	return nil
}

func (h *Host) prepareTree(tree, parent string) error {
	if h.Mode == Unified && tree == h.Unified {
		return h.prepareV2(parent)
	}
	if err := os.MkdirAll(filepath.Join(tree, parent), 0o755); err != nil {
		return err
	}
	if tree != h.Controllers["memory"] {
		return nil
	}
	// Before Linux 5.11 a v1 limit did not hold below its group unless told to.
	err := writeFile(filepath.Join(tree, parent), "memory.use_hierarchy", "1")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EBUSY) {
		return nil // later kernels know nothing else, or children came first
	}
	return err
}

// prepareV2 walks from the root of the hierarchy down to parent and enables, at
// each group, the controllers for its children.
func (h *Host) prepareV2(parent string) error {
	at := "/"
	for name := range strings.SplitSeq(parent[1:]+"/", "/") {
		if err := h.handDown(at); err != nil {
			return err
		}
		if name == "" {
			break
		}
		at = path.Join(at, name)
		if err := os.Mkdir(filepath.Join(h.Unified, at), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// handDown enables the controllers of the group at for its children: all that
// are needed, and of the others those that let themselves.
func (h *Host) handDown(at string) error {
	dir := filepath.Join(h.Unified, at)
	enabled, err := readWords(dir, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	for _, name := range append(needed(Unified), wanted(Unified)...) {
		if slices.Contains(enabled, name) || h.Controllers[name] == "" {
			continue
		}
		err := writeFile(dir, "cgroup.subtree_control", "+"+name)
		if errors.Is(err, syscall.EBUSY) {
			err = h.makeWay(at, name)
		}
		if err != nil && slices.Contains(needed(Unified), name) {
			return fmt.Errorf("enable the %s controller below %s: %w", name, at, err)
		}
	}
	return nil
}

// makeWay moves the processes of a group that was delegated to us into a child,
// and enables the controller then. A fork may slip in between: it tries again.
func (h *Host) makeWay(at, controller string) error {
	dir := filepath.Join(h.Unified, at)
	var err error
	for range 10 {
		pids, readErr := dirProcs(dir)
		if readErr != nil {
			return readErr
		}
		if !slices.Contains(pids, os.Getpid()) && h.Own[""] != at {
			return fmt.Errorf("%w: %v in %s", ErrOccupied, pids, at)
		}
		leaf := filepath.Join(dir, "supervisor")
		if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		for _, pid := range pids {
			if err := writeFile(leaf, "cgroup.procs", fmt.Sprint(pid)); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("move process %d to %s/supervisor: %w", pid, at, err)
			}
		}
		if err = writeFile(dir, "cgroup.subtree_control", "+"+controller); !errors.Is(err, syscall.EBUSY) {
			return err
		}
	}
	return err
}

// List names the groups directly under parent, in any hierarchy, sorted. A
// parent that is not there has none.
func (h *Host) List(parent string) ([]string, error) {
	if err := checkPath(parent); err != nil {
		return nil, fmt.Errorf("list cgroup %q: %w", parent, err)
	}
	var names []string
	for _, tree := range h.trees() {
		entries, err := os.ReadDir(filepath.Join(tree, parent))
		if err != nil && !errors.Is(gone(err), fs.ErrNotExist) {
			return nil, fmt.Errorf("list cgroup %s: %w", parent, err)
		}
		for _, e := range entries {
			if e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Sweep kills every process in parent and below, and removes all these groups,
// parent included, from every hierarchy: what a crash has left. It touches
// nothing outside. A parent that is not there is no error.
func (h *Host) Sweep(ctx context.Context, parent string) error {
	g, err := h.Group(parent)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if err := g.Kill(); err != nil {
		return err
	}
	return g.Remove(ctx)
}

// RemoveEmpty removes the group at path from every hierarchy where it has
// neither children nor processes, and leaves it alone where it has: for a group
// that several Runnels share, by the last one to go.
func (h *Host) RemoveEmpty(path string) error {
	if err := checkPath(path); err != nil {
		return fmt.Errorf("remove cgroup %q: %w", path, err)
	}
	for _, tree := range h.trees() {
		err := removeDir(filepath.Join(tree, path))
		if err != nil && !errors.Is(err, syscall.EBUSY) && !errors.Is(err, syscall.ENOTEMPTY) {
			return fmt.Errorf("remove cgroup %s: %w", path, err)
		}
	}
	return nil
}
