package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path"

	"golang.org/x/sys/unix"
)

const (
	// copyBufferSize is how much of a file is written at once, and the size of
	// a run of zeros that becomes a hole.
	copyBufferSize = 256 << 10
	// writebackBytes is how much of a file is dirty before the kernel is asked
	// to start writing it, so that the sync at the end finds little to do.
	writebackBytes = 8 << 20
)

// create makes anything but a directory. It fails with EEXIST, having changed
// and read nothing, if there is something by that name.
func (u *unpacker) create(d *openDir, base string, hdr *tar.Header, r io.Reader) error {
	switch hdr.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return u.file(d, base, hdr, r)
	case tar.TypeLink:
		return u.hardLink(d, base, hdr)
	case tar.TypeSymlink:
		if err := unix.Symlinkat(hdr.Linkname, d.fd, base); err != nil {
			return err
		}
		return setOwnerAndTime(d, base, hdr)
	case tar.TypeFifo:
		if err := unix.Mknodat(d.fd, base, unix.S_IFIFO|0o600, 0); err != nil {
			return err
		}
		if err := setOwnerAndTime(d, base, hdr); err != nil {
			return err
		}
		return unix.Fchmodat(d.fd, base, mode(hdr), 0)
	case tar.TypeChar, tar.TypeBlock:
		if standardDevice(path.Join(d.path, base), hdr) {
			return nil
		}
		return entryError(hdr.Name, fmt.Errorf("devices are not unpacked (%d:%d)", hdr.Devmajor, hdr.Devminor))
	}
	return entryError(hdr.Name, fmt.Errorf("its type %q is unknown", hdr.Typeflag))
}

// directory makes a directory, or gives one that is there its properties.
func (u *unpacker) directory(ctx context.Context, name string, hdr *tar.Header) error {
	if hdr.Typeflag != tar.TypeDir {
		return entryError(hdr.Name, errors.New("the root of an image can only be a directory"))
	}
	if name != "." {
		dir, base := path.Split(name)
		if err := u.place(ctx, path.Clean(dir), base, func(d *openDir) error {
			err := u.makeDir(d, base)
			if errors.Is(err, unix.EEXIST) && isDir(d.fd, base) {
				return nil
			}
			return err
		}); err != nil {
			return err
		}
	}
	d, err := u.dirs.open(name)
	if err != nil {
		return err
	}
	if err := setProperties(d.fd, hdr, true); err != nil {
		return err
	}
	d.inheritsGroup = mode(hdr)&unix.S_ISGID != 0
	d.mtime, d.dirty = timespec(hdr), true
	return nil
}

// file writes a regular file.
func (u *unpacker) file(d *openDir, base string, hdr *tar.Header, r io.Reader) (err error) {
	// Where both bounds are passed, the tighter one is the reason.
	if hdr.Size > u.limits.bytes && u.limits.bytes < u.limits.room {
		return fmt.Errorf("%w: it would have %d bytes, over %d", ErrTooLarge, hdr.Size, u.limits.bytes)
	}
	if hdr.Size > u.room {
		return fmt.Errorf("%w: the layer needs over %d bytes", ErrNoSpace, u.limits.room)
	}
	fd, err := unix.Openat(d.fd, base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	u.room -= hdr.Size
	if err := u.content(fd, hdr, r); err != nil {
		return err
	}
	if err := setProperties(fd, hdr, d.inheritsGroup); err != nil {
		return err
	}
	return setTime(d, base, hdr)
}

// content copies a file's bytes. Long runs of zeros become holes.
func (u *unpacker) content(fd int, hdr *tar.Header, r io.Reader) error {
	var done, flushed int64
	for done < hdr.Size {
		p := u.buf[:min(int64(len(u.buf)), hdr.Size-done)]
		if n, err := fill(r, p); n < len(p) {
			return invalid(unexpected(err))
		}
		if len(p) < copyBufferSize || !allZero(p) {
			if err := u.write(fd, p, done); err != nil {
				return err
			}
		}
		done += int64(len(p))
		if done-flushed >= writebackBytes {
			// Only a hint: what cannot be written, syncfs reports.
			_ = unix.SyncFileRange(fd, flushed, done-flushed, unix.SYNC_FILE_RANGE_WRITE)
			flushed = done
		}
	}
	if done < copyBufferSize {
		return nil
	}
	return unix.Ftruncate(fd, hdr.Size) // it may end in a hole
}

func (u *unpacker) write(fd int, p []byte, at int64) error {
	if err := u.spend(int64(len(p))); err != nil {
		return err
	}
	for len(p) > 0 {
		n, err := unix.Pwrite(fd, p, at)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		n = max(n, 0)
		p, at = p[n:], at+int64(n)
	}
	return nil
}

// hardLink links to what an earlier entry of the same layer made.
func (u *unpacker) hardLink(d *openDir, base string, hdr *tar.Header) error {
	target, err := entryPath(hdr.Linkname)
	if err != nil {
		return entryError(hdr.Name, fmt.Errorf("link to %q: %w", clip(hdr.Linkname), err))
	}
	dir, targetBase := path.Split(target)
	// A descriptor of its own: opening through the cache could close d.
	from, err := openInRoot(u.dirs.root, path.Clean(dir))
	if err == nil {
		err = errors.Join(unix.Linkat(from, targetBase, d.fd, base, 0), unix.Close(from))
	}
	switch {
	case errors.Is(err, unix.EEXIST) && target == path.Join(d.path, base):
		return nil // a link to itself
	case isOneOf(err, unix.EPERM, unix.ENOENT, unix.ENOTDIR, unix.ELOOP):
		return entryError(hdr.Name, fmt.Errorf("link to %q: %w", clip(hdr.Linkname), err))
	}
	return err
}

// standardDevice recognises the nodes under dev/ that every container has
// anyway. Images made from a whole file system hold them; they are left out,
// as the instance's own /dev covers them.
func standardDevice(name string, hdr *tar.Header) bool {
	numbers := map[string][2]int64{
		"dev/null": {1, 3}, "dev/zero": {1, 5}, "dev/full": {1, 7}, "dev/random": {1, 8},
		"dev/urandom": {1, 9}, "dev/tty": {5, 0}, "dev/console": {5, 1}, "dev/ptmx": {5, 2},
	}
	want, ok := numbers[name]
	return ok && hdr.Typeflag == tar.TypeChar && want == [2]int64{hdr.Devmajor, hdr.Devminor}
}

func isDir(dirfd int, base string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(dirfd, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// allZero compares p with itself, shifted: as fast as memory.
func allZero(p []byte) bool {
	return len(p) > 0 && p[0] == 0 && bytes.Equal(p[1:], p[:len(p)-1])
}

// unexpected is the error for a stream that ends inside a file.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// validOwner keeps out what the kernel takes for "do not change" or cuts off.
func validOwner(hdr *tar.Header) bool {
	return hdr.Uid >= 0 && hdr.Uid < math.MaxUint32 && hdr.Gid >= 0 && hdr.Gid < math.MaxUint32
}
