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
	upper, work := filepath.Join(scratch, "upper"), filepath.Join(scratch, "work")
	for _, d := range []string{upper, work} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	if err := mountOverlay(merged, layers, upper, work); err != nil {
		return nil, err
	}
	done.Push(func() error { return unix.Unmount(merged, unix.MNT_DETACH) })
	opened, err := os.OpenFile(merged, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &root{path: merged, dir: opened}, nil
}

// mountOverlay names the layers by descriptor: the option string of mount(2)
// is one page, which 127 layers named by path would not fit.
func mountOverlay(target string, layers []string, upper, work string) error {
	if len(layers) == 0 {
		return errors.New("mount overlay: image has no layers")
	}
	lowers := make([]string, len(layers))
	for i, l := range layers {
		f, err := os.OpenFile(l, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open layer: %w", err)
		}
		defer f.Close()
		lowers[i] = fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	}
	options := "lowerdir=" + strings.Join(lowers, ":") + ",upperdir=" + upper + ",workdir=" + work
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
	if err := unix.Unlinkat(fd, name, 0); err != nil && err != unix.ENOENT {
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
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	dir, name := path.Split(path.Clean(p))
	parent, err := r.mkdir(dir, 0o755)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := unix.Mkdirat(int(parent.Fd()), name, mode); err != nil {
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
