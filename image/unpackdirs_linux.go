package image

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// openDirs is how many directories an unpacker keeps open: those on the way to
// where it is, in a tar written in any sane order.
const openDirs = 32

// maxResolveRetries bounds how often openat2 is asked again when a rename
// anywhere on the host disturbed it.
const maxResolveRetries = 256

// openDir is an open directory beneath the root.
type openDir struct {
	path string // as entries call it
	fd   int
	ino  uint64
	// inheritsGroup: new files take the directory's group, not ours.
	inheritsGroup bool
	// mtime is put back when the directory is closed: every entry made in it
	// changes what the kernel has.
	mtime unix.Timespec
	dirty bool
	used  uint64
}

// dirCache opens directories beneath a root and keeps the last used ones open,
// so that an entry usually costs no path walk. Closing them restores their
// times, which is why no list of all directories is needed to do that at the
// end.
type dirCache struct {
	root  int
	dirs  []*openDir
	last  *openDir
	clock uint64
}

func newDirCache(root int) *dirCache { return &dirCache{root: root} }

// open gives the directory at path ("" or "." is the root), which must exist.
// It stays open until it was not used for long, or flush.
func (c *dirCache) open(name string) (*openDir, error) {
	if name == "" {
		name = "."
	}
	c.clock++
	if c.last != nil && c.last.path == name {
		c.last.used = c.clock
		return c.last, nil
	}
	if i := slices.IndexFunc(c.dirs, func(d *openDir) bool { return d.path == name }); i >= 0 {
		c.last = c.dirs[i]
		c.last.used = c.clock
		return c.last, nil
	}
	d, err := c.resolve(name)
	if err != nil {
		return nil, err
	}
	if len(c.dirs) == openDirs {
		if err := c.evict(); err != nil {
			return nil, errors.Join(err, unix.Close(d.fd))
		}
	}
	d.used = c.clock
	c.dirs = append(c.dirs, d)
	c.last = d
	return d, nil
}

// resolve walks to a directory without leaving the root: symbolic links and
// ".." mean what they mean to a process that has it as its root.
func (c *dirCache) resolve(name string) (*openDir, error) {
	fd, err := openInRoot(c.root, name)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := errors.Join(checkDepth(fd), unix.Fstat(fd, &st)); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	d := &openDir{
		path: name, fd: fd, ino: st.Ino, mtime: st.Mtim,
		inheritsGroup: st.Mode&unix.S_ISGID != 0,
	}
	for _, other := range c.dirs {
		if other.ino == d.ino { // the same one by another name
			d.mtime, d.dirty = other.mtime, other.dirty
		}
	}
	return d, nil
}

// checkDepth fails with ENAMETOOLONG if a directory's path has over PATH_MAX
// bytes. Short names that lead through symbolic links get there, and what lies
// so deep no program can name, and removing it takes a descriptor for every
// level.
func checkDepth(fd int) error {
	var path [unix.PathMax]byte
	_, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(fd), path[:])
	return err
}

func openInRoot(root int, name string) (fd int, err error) {
	how := unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
	}
	for range maxResolveRetries {
		fd, err = unix.Openat2(root, name, &how)
		if !isOneOf(err, unix.EAGAIN, unix.EINTR) {
			break
		}
	}
	return fd, err
}

// evict closes the directory that was not used for longest.
func (c *dirCache) evict() error {
	oldest := 0
	for i, d := range c.dirs {
		if d.used < c.dirs[oldest].used {
			oldest = i
		}
	}
	d := c.dirs[oldest]
	c.dirs = slices.Delete(c.dirs, oldest, oldest+1)
	return d.close()
}

// flush closes every directory. Those handed out before must not be used again.
func (c *dirCache) flush() error {
	var errs []error
	for _, d := range c.dirs {
		errs = append(errs, d.close())
	}
	c.dirs, c.last = c.dirs[:0], nil
	return errors.Join(errs...)
}

func (d *openDir) close() error {
	var err error
	if d.dirty {
		omit := unix.Timespec{Nsec: unix.UTIME_OMIT}
		err = unix.UtimesNanoAt(d.fd, ".", []unix.Timespec{omit, d.mtime}, 0)
	}
	return errors.Join(err, unix.Close(d.fd))
}

// parent opens the directory of an entry and makes it, root's and 0755, where
// no entry did.
func (u *unpacker) parent(ctx context.Context, dir string) (*openDir, error) {
	d, err := u.dirs.open(dir)
	if !isOneOf(err, unix.ENOENT, unix.ENOTDIR) || dir == "" || dir == "." {
		return d, err
	}
	if err := u.count(ctx); err != nil {
		return nil, err
	}
	up, base := path.Split(dir)
	above, merr := u.parent(ctx, path.Clean(up))
	if merr != nil {
		return nil, merr
	}
	above.dirty = true
	switch merr := u.makeDir(above, base); {
	case errors.Is(merr, unix.EEXIST):
		return nil, err // something else has the name
	case merr != nil:
		return nil, merr
	}
	return u.dirs.open(dir)
}

// makeDir makes a directory in d. A whiteout in its place means that the lower
// layers' directory of that name is gone: the new one is opaque.
func (u *unpacker) makeDir(d *openDir, base string) error {
	err := unix.Mkdirat(d.fd, base, 0o755)
	hides := errors.Is(err, unix.EEXIST) && isWhiteout(d.fd, base)
	if hides {
		if err := unix.Unlinkat(d.fd, base, 0); err != nil {
			return err
		}
		err = unix.Mkdirat(d.fd, base, 0o755)
	}
	if err != nil {
		return err
	}
	if err := unix.Fchmodat(d.fd, base, 0o755, 0); err != nil { // whatever the umask
		return err
	}
	if d.inheritsGroup {
		if err := unix.Fchownat(d.fd, base, 0, 0, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
	}
	if hides {
		return u.makeOpaque(path.Join(d.path, base))
	}
	return nil
}
