package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// unpacker writes the entries of one layer beneath a directory.
//
// Nothing it does can reach outside: parents are opened with openat2 as if the
// root were the file system's (".." and symbolic links included), and the last
// component of a name is only ever created exclusively, removed or linked,
// never followed.
type unpacker struct {
	dirs *dirCache
	// trash takes directories that a later entry replaces; it lies beside root,
	// and is removed as a whole.
	trash   int
	trashed int

	limits  limits
	entries int64
	room    int64 // what is left of limits.room
	unseen  int64 // written since the disk was last looked at
	buf     []byte
}

// unpack writes the layer in r beneath root, an empty directory, using trash,
// another one on the same file system. On an error what was written stays for
// the caller to remove. It reads up to the end of the tar, not of r.
func unpack(ctx context.Context, root, trash string, r io.Reader, lim limits) (err error) {
	rootFD, err := unix.Open(root, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(rootFD)) }()
	trashFD, err := unix.Open(trash, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(trashFD)) }()
	u := &unpacker{
		dirs: newDirCache(rootFD), trash: trashFD,
		limits: lim, room: lim.room, buf: make([]byte, copyBufferSize),
	}
	defer func() { err = errors.Join(err, u.dirs.flush()) }()
	return u.all(ctx, tar.NewReader(r))
}

func (u *unpacker) all(ctx context.Context, tr *tar.Reader) error {
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalid(err)
		}
		if err := u.count(ctx); err != nil {
			return err
		}
		if err := u.entry(ctx, hdr, tr); err != nil {
			return err
		}
	}
}

// count is called for every entry, and for every directory that none names. It
// is also where an unpacker stops with its context.
func (u *unpacker) count(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if u.entries++; u.entries > u.limits.entries {
		return fmt.Errorf("%w: over %d entries", ErrTooLarge, u.limits.entries)
	}
	return u.spend(unix.PathMax)
}

// spend accounts for disk about to be used and looks at the disk from time to
// time.
func (u *unpacker) spend(n int64) error {
	if u.unseen += n; u.unseen < diskCheckBytes {
		return nil
	}
	u.unseen = 0
	var st unix.Statfs_t
	if err := unix.Fstatfs(u.trash, &st); err != nil {
		return err
	}
	if free := int64(st.Bavail) * st.Bsize; free < u.limits.reserve {
		return fmt.Errorf("%w: %d bytes are free and %d are kept free", ErrNoSpace, free, u.limits.reserve)
	}
	return nil
}

// entry unpacks one entry.
func (u *unpacker) entry(ctx context.Context, hdr *tar.Header, r io.Reader) error {
	if hdr.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := entryPath(hdr.Name)
	if err != nil {
		return entryError(hdr.Name, err)
	}
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	if done, err := u.whiteout(ctx, dir, base, hdr); done || err != nil {
		return entryFailure(hdr.Name, err)
	}
	if hdr.Typeflag == tar.TypeDir || name == "." {
		return entryFailure(hdr.Name, u.directory(ctx, name, hdr))
	}
	return entryFailure(hdr.Name, u.place(ctx, dir, base, func(d *openDir) error {
		return u.create(d, base, hdr, r)
	}))
}

// place makes something new in a directory, in place of whatever an earlier
// entry left there.
func (u *unpacker) place(ctx context.Context, dir, base string, create func(*openDir) error) error {
	for range 2 {
		d, err := u.parent(ctx, dir)
		if err != nil {
			return err
		}
		d.dirty = true
		err = create(d)
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
		if err := u.discard(d, base); err != nil {
			return err
		}
	}
	return unix.EEXIST
}

// discard takes what is called base out of d. Directories open beneath it, and
// names that led through it, are forgotten, d among them.
func (u *unpacker) discard(d *openDir, base string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(d.fd, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	var err error
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		u.trashed++
		err = unix.Renameat(d.fd, base, u.trash, strconv.Itoa(u.trashed))
	case unix.S_IFLNK:
		err = unix.Unlinkat(d.fd, base, 0)
	default:
		return unix.Unlinkat(d.fd, base, 0)
	}
	return errors.Join(err, u.dirs.flush())
}

// entryPath makes a name relative to the root. "." is the root itself.
func entryPath(name string) (string, error) {
	switch {
	case !utf8.ValidString(name):
		return "", errors.New("its name is not valid UTF-8")
	case len(name) > maxEntryName:
		return "", fmt.Errorf("its name has %d bytes", len(name))
	case strings.ContainsRune(name, 0):
		return "", errors.New("its name holds a NUL")
	}
	clean := path.Clean(strings.TrimLeft(name, "/"))
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", errors.New("its name leads out of the image")
	}
	return clean, nil
}

// entryFailure decides whose fault a failed entry is: the kernel refuses a
// hostile or broken one with the errors listed, everything else is the host's.
func entryFailure(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case isOneOf(err, ErrInvalidLayer, ErrTooLarge, ErrNoSpace, ErrUnreachable, ErrDigest):
		return err
	case isOneOf(err, unix.ENOSPC, unix.EDQUOT):
		return diskError(err)
	case isOneOf(err, unix.ENOENT, unix.ENOTDIR, unix.EISDIR, unix.ELOOP, unix.ENAMETOOLONG, unix.EEXIST,
		unix.EINVAL, unix.E2BIG, unix.ERANGE, unix.EXDEV, unix.EMLINK, unix.EFBIG):
		return entryError(name, err)
	}
	return fmt.Errorf("unpack %q: %w", clip(name), err)
}
