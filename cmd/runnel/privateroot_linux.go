package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"runnel/cgroups"
	rnet "runnel/net"
)

const (
	// privateRoots is where private roots are made: on a disk, because the
	// images unpacked there may be large, and where an overlay can be mounted.
	privateRoots = "/var/lib"
	// privatePattern names them.
	privatePattern = "runnel-run-*"
	// nameDigits is how many hex digits tell the roots of one host apart.
	nameDigits = 7
)

// root is the directory that everything of one "runnel run" lives in.
type root struct {
	dir string
	// name is derived from dir; what the root owns on the host outside its
	// directory (bridge, nftables, cgroups) bears it.
	name string
	// lock is held on a private directory as long as it is in use.
	lock *os.File
}

// openRoot makes dir if it is missing, or a private directory if dir is empty.
// Private directories whose owner has died are removed then, with all they left
// on the host; warn is told of what could not be.
func openRoot(ctx context.Context, dir string, warn func(string)) (*root, error) {
	if dir == "" {
		parent, err := filepath.EvalSymlinks(privateRoots)
		if err != nil {
			return nil, fmt.Errorf("cannot make a private directory: %w", err)
		}
		return openPrivateRoot(ctx, parent, warn)
	}
	dir, err := makeRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open the root directory: %w", err)
	}
	return &root{dir: dir, name: rootName(dir)}, nil
}

// makeRoot makes dir if it is missing. The path it returns is the same by
// whatever name dir is called, and has no link in it: nothing is mounted below
// one.
func makeRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// rootName is a short name for a root: the same for the same directory.
func rootName(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:])[:nameDigits]
}

// cgroup is the parent of the root's instances.
func (r *root) cgroup() string { return "/runnel-" + r.name }

// close removes a private root and leaves any other as it is.
func (r *root) close() error {
	if r.lock == nil {
		return nil
	}
	err := os.RemoveAll(r.dir)
	return errors.Join(err, r.lock.Close())
}

// openPrivateRoot makes a private directory under parent, and removes those of
// the dead. That one of these will not go is no reason not to run.
func openPrivateRoot(ctx context.Context, parent string, warn func(string)) (*root, error) {
	if err := sweepPrivateRoots(ctx, parent); err != nil {
		for line := range strings.Lines(err.Error()) {
			warn("cannot remove what an earlier run left: " + strings.TrimSuffix(line, "\n"))
		}
	}
	return makePrivateRoot(parent)
}

// makePrivateRoot makes a private directory under parent and locks it.
func makePrivateRoot(parent string) (*root, error) {
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
			return &root{dir: dir, name: rootName(dir), lock: lock}, nil
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
		r := &root{dir: dir, name: rootName(dir), lock: lock}
		errs = append(errs, r.sweep(ctx), r.close())
	}
	return errors.Join(errs...)
}

// sweep ends and removes what a dead owner of the root left on the host.
func (r *root) sweep(ctx context.Context) error {
	groups, err := cgroups.Detect()
	if err != nil {
		return err
	}
	if err := groups.Sweep(ctx, r.cgroup()); err != nil {
		return fmt.Errorf("sweep cgroups of %s: %w", r.dir, err)
	}
	if err := rnet.Sweep(ctx, r.name); err != nil {
		return fmt.Errorf("sweep network of %s: %w", r.dir, err)
	}
	return nil
}
