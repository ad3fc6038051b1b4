package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"runnel/cgroups"
	rnet "runnel/net"
)

// PrivateRoots is where private roots are made: on a disk, because the images
// unpacked there may be large, and where an overlay can be mounted.
const PrivateRoots = "/var/lib"

// privatePattern names them.
const privatePattern = "runnel-run-*"

// openPrivateRoot makes a private directory under parent, and removes those of
// the dead. That one of these will not go is no reason not to run.
func openPrivateRoot(ctx context.Context, parent string, warn func(string)) (*Root, error) {
	if err := sweepPrivateRoots(ctx, parent); err != nil {
		for line := range strings.Lines(err.Error()) {
			warn("cannot remove what an earlier run left: " + strings.TrimSuffix(line, "\n"))
		}
	}
	return makePrivateRoot(parent)
}

// makePrivateRoot makes a private directory under parent and locks it.
func makePrivateRoot(parent string) (*Root, error) {
	for {
		dir, err := os.MkdirTemp(parent, privatePattern)
		if err != nil {
			return nil, fmt.Errorf("cannot make a private directory: %w", err)
		}
		lock, err := lockDir(dir)
		if err != nil {
			return nil, fmt.Errorf("cannot make a private directory: %w", errors.Join(err, os.Remove(dir)))
		}
		if lock != nil {
			return &Root{Dir: dir, Name: rootName(dir), lock: lock}, nil
		}
		// Another process sweeps just now and has taken it for a dead one's.
	}
}

// lockDir locks a directory until the file is closed, by whatever way the
// process ends. The file is nil if someone else has the lock, or the directory
// is gone.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	if !samePlace(dir, f) {
		return nil, f.Close()
	}
	return f, nil
}

// samePlace reports whether f is still what stands at path.
func samePlace(path string, f *os.File) bool {
	now, err := os.Stat(path)
	if err != nil {
		return false
	}
	opened, err := f.Stat()
	return err == nil && os.SameFile(now, opened)
}

// sweepPrivateRoots removes the private roots under parent that nobody holds.
func sweepPrivateRoots(ctx context.Context, parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, privatePattern))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		lock, err := lockDir(dir)
		if err != nil || lock == nil {
			errs = append(errs, err)
			continue
		}
		r := &Root{Dir: dir, Name: rootName(dir), lock: lock}
		errs = append(errs, r.sweep(ctx), r.Close())
	}
	return errors.Join(errs...)
}

// sweep ends and removes what a dead owner of the root left on the host.
func (r *Root) sweep(ctx context.Context) error {
	groups, err := cgroups.Detect()
	if err != nil {
		return err
	}
	if err := groups.Sweep(ctx, r.Cgroup()); err != nil {
		return fmt.Errorf("sweep cgroups of %s: %w", r.Dir, err)
	}
	if err := rnet.Sweep(ctx, r.Name); err != nil {
		return fmt.Errorf("sweep network of %s: %w", r.Dir, err)
	}
	return nil
}
