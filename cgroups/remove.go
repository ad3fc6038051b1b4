package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"
)

// removeDeadline bounds Remove when its context does not: a killed process
// keeps its group busy until it is quite gone.
const removeDeadline = 10 * time.Second

// Remove removes the group and those below it from every hierarchy, children
// first. Processes that are on their way out it waits for, until ctx ends or
// ten seconds have passed; living ones make it fail with syscall.EBUSY. A group
// that is not there is no error.
func (g *Group) Remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, removeDeadline)
	defer cancel()
	var errs []error
	for _, tree := range g.host.trees() {
		errs = append(errs, removeTree(ctx, filepath.Join(tree, g.path)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove cgroup %s: %w", g.path, err)
	}
	return nil
}

// removeTree removes dir and what is below. Mostly there is nothing below and
// nobody left inside.
func removeTree(ctx context.Context, dir string) error {
	if removeDir(dir) == nil {
		return nil
	}
	var busy error
	err := retry(ctx, func() (bool, error) {
		dirs, err := below(dir)
		if err != nil {
			return false, err
		}
		busy = nil
		for _, d := range dirs {
			switch err := removeDir(d); {
			case errors.Is(err, syscall.EBUSY):
				busy = err
			case err != nil:
				return false, err
			}
		}
		return busy == nil, nil
	})
	if busy != nil && ctx.Err() != nil {
		return busy
	}
	return err
}

// removeDir removes one group. It asks for a directory's removal only: the
// control files in it are not files one could delete.
func removeDir(dir string) error {
	err := syscall.Rmdir(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
}
