package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"runnel/internal/undo"
	"runnel/runtime/shim"
)

// root is the file system that a container starts with: the image's layers,
// read-only, under a tmpfs that takes every write.
//
// The pages of the tmpfs are charged to the cgroup of the process that writes
// them. Its size is the memory limit, so that statfs tells the truth; the limit
// of the cgroup, which the processes themselves count against too, is always
// reached first.
type root struct {
	// path is where the overlay is mounted in the shim's mount namespace.
	path string
	// dir is the overlay, for resolving paths beneath it.
	dir *os.File
	// detached makes detach idempotent.
	detached bool
}

// minInode is less than what an inode of a tmpfs is charged in kernel memory,
// in bytes; size over it is a number of inodes that is never reached either.
const minInode = 512

// mountRoot mounts the root of a container with the given layers under dir,
// which must exist and be empty. size is the container's memory limit in
// bytes.
func mountRoot(dir string, layers []string, size int64) (_ *root, err error) {
	var done undo.Stack
	defer done.OnError(&err)

	scratch, merged := filepath.Join(dir, "rw"), filepath.Join(dir, "root")
	for _, d := range []string{scratch, merged} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, err
		}
	}
	options := fmt.Sprintf("size=%d,nr_inodes=%d,mode=0700", size, size/minInode)
	if err := unix.Mount("tmpfs", scratch, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return nil, fmt.Errorf("mount tmpfs: %w", err)
	}
	done.Push(func() error { return unix.Unmount(scratch, unix.MNT_DETACH) })
	for _, d := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(scratch, d), 0o755); err != nil {
			return nil, err
		}
	}
	if err := mountOverlay(merged, layers, scratch); err != nil {
		return nil, err
	}
	done.Push(func() error { return unix.Unmount(merged, unix.MNT_DETACH) })
	opened, err := os.OpenFile(merged, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &root{path: merged, dir: opened}, nil
}

// mountOverlay names directories by descriptor: the option string of mount(2) is
// one page, which 127 layers named by path would not fit, and a path may hold a
// comma.
func mountOverlay(target string, layers []string, scratch string) error {
	if len(layers) == 0 {
		return errors.New("mount overlay: image has no layers")
	}
	var open []*os.File
	defer func() {
		for _, f := range open {
			_ = f.Close() // a path descriptor has nothing to lose
		}
	}()
	name := func(path string) (string, error) {
		f, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", fmt.Errorf("mount overlay: %w", err)
		}
		open = append(open, f)
		return fmt.Sprintf("/proc/self/fd/%d", f.Fd()), nil
	}
	lowers := make([]string, len(layers))
	for i, l := range layers {
		var err error
		if lowers[i], err = name(l); err != nil {
			return err
		}
	}
	rw, err := name(scratch)
	if err != nil {
		return err
	}
	options := "lowerdir=" + strings.Join(lowers, ":") + ",upperdir=" + rw + "/upper,workdir=" + rw + "/work"
	if len(options) >= os.Getpagesize() {
		return shim.Unstartable(fmt.Sprintf("image has %d layers: too many for one overlay mount", len(layers)))
	}
	if err := unix.Mount("overlay", target, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount overlay of %d layers: %w", len(layers), err)
	}
	return nil
}

// detach takes the root out of the shim's mount namespace. A container that
// has been created keeps its own copy of the mount; the tmpfs is freed with
// the last of them. It may be called again.
func (r *root) detach() error {
	if r.detached {
		return nil
	}
	r.detached = true
	err := r.dir.Close()
	return errors.Join(err,
		unix.Unmount(r.path, unix.MNT_DETACH),
		unix.Unmount(filepath.Join(filepath.Dir(r.path), "rw"), unix.MNT_DETACH))
}

// open opens p beneath the root, following links as the container would.
func (r *root) open(p string, flags int) (*os.File, error) {
	fd, err := unix.Openat2(int(r.dir.Fd()), p, &unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: p, Err: err}
	}
	return os.NewFile(uintptr(fd), p), nil
}

// stat describes p beneath the root, following links.
func (r *root) stat(p string) (unix.Stat_t, error) {
	var st unix.Stat_t
	f, err := r.open(p, unix.O_PATH)
	if err != nil {
		return st, err
	}
	defer f.Close()
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return st, &fs.PathError{Op: "stat", Path: p, Err: err}
	}
	return st, nil
}

// write puts a file of root's, mode 0644, at p, in place of what is there.
func (r *root) write(p, content string) error {
	dir, name := path.Split(path.Clean(p))
	parent, err := r.mkdir(dir, 0o755)
	if err != nil {
		return err
	}
	defer parent.Close()
	fd := int(parent.Fd())
	if err := unix.Unlinkat(fd, name, 0); err == unix.EISDIR {
		return shim.Unstartable(fmt.Sprintf("%s is a directory in the image: every container gets a file of its own there", p))
	} else if err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "replace", Path: p, Err: err}
	}
	made, err := unix.Openat(fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return &fs.PathError{Op: "create", Path: p, Err: err}
	}
	f := os.NewFile(uintptr(made), p)
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

// mkdir opens the directory p beneath the root and makes it, and what leads to
// it, where missing.
func (r *root) mkdir(p string, mode uint32) (*os.File, error) {
	f, err := r.open(p, unix.O_RDONLY|unix.O_DIRECTORY)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return nil, shim.Unstartable(fmt.Sprintf("%s is not a directory in the image: every container has one there", path.Clean(p)))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	dir, name := path.Split(path.Clean(p))
	parent, err := r.mkdir(dir, 0o755)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := unix.Mkdirat(int(parent.Fd()), name, mode); err == unix.EEXIST {
		return nil, shim.Unstartable(fmt.Sprintf("%s is a link to nowhere in the image: every container has a directory there", path.Clean(p)))
	} else if err != nil {
		return nil, &fs.PathError{Op: "mkdir", Path: p, Err: err}
	}
	made, err := unix.Openat(int(parent.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: p, Err: err}
	}
	f = os.NewFile(uintptr(made), p)
	// mkdir(2) is subject to the umask and knows no sticky bit here.
	return f, f.Chmod(fileMode(mode))
}

// fileMode converts the permission bits of a unix mode.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	if mode&unix.S_ISVTX != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// furnish writes what every container finds: the given files, /tmp and
// /var/log.
func (r *root) furnish(files []shim.File) error {
	for _, f := range files {
		if err := r.write(f.Path, f.Content); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		path string
		mode uint32
	}{{"/tmp", 0o1777}, {"/var/log", 0o755}} {
		f, err := r.mkdir(d.path, d.mode)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
