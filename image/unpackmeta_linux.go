package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Names that overlayfs and the OCI layer format give to removed things.
// Sources: kernel Documentation/filesystems/overlayfs.rst "whiteouts and opaque
// directories"; OCI image-spec v1.1 "Image Layer Filesystem Changeset".
const (
	xattrOpaque    = "trusted.overlay.opaque"
	whiteoutPrefix = ".wh."
	// whiteoutMeta starts names that only aufs gave a meaning.
	whiteoutMeta   = ".wh..wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// whiteout handles the entries that remove something from the layers below, in
// the form of OCI (".wh.NAME") or of overlayfs (a character device 0:0). What
// the same layer holds stays, wherever in the stream it comes.
func (u *unpacker) whiteout(ctx context.Context, dir, base string, hdr *tar.Header) (done bool, err error) {
	for part := range strings.SplitSeq(dir, "/") {
		if strings.HasPrefix(part, whiteoutMeta) {
			return true, nil
		}
		if strings.HasPrefix(part, whiteoutPrefix) {
			return true, entryError(hdr.Name, errors.New("it lies in a whiteout"))
		}
	}
	removed, marked := strings.CutPrefix(base, whiteoutPrefix)
	switch {
	case base == whiteoutOpaque:
		if _, err := u.parent(ctx, dir); err != nil {
			return true, err
		}
		return true, u.makeOpaque(dir)
	case strings.HasPrefix(base, whiteoutMeta):
		return true, nil
	case marked && (removed == "" || removed == "." || removed == ".."):
		return true, entryError(hdr.Name, errors.New("it removes nothing that has a name"))
	case marked:
		return true, u.remove(ctx, dir, removed)
	case hdr.Typeflag == tar.TypeChar && hdr.Devmajor == 0 && hdr.Devminor == 0:
		return true, u.remove(ctx, dir, base)
	}
	return false, nil
}

// remove hides what the layers below call base.
func (u *unpacker) remove(ctx context.Context, dir, base string) error {
	d, err := u.parent(ctx, dir)
	if err != nil {
		return err
	}
	d.dirty = true
	err = unix.Mknodat(d.fd, base, unix.S_IFCHR, 0)
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	if isDir(d.fd, base) {
		return u.makeOpaque(strings.TrimPrefix(dir+"/"+base, "/"))
	}
	return nil // anything else hides what is below it by itself
}

// makeOpaque hides what the layers below have in a directory.
func (u *unpacker) makeOpaque(name string) error {
	d, err := u.dirs.open(name)
	if err != nil {
		return err
	}
	return unix.Fsetxattr(d.fd, xattrOpaque, []byte("y"), 0)
}

func isWhiteout(dirfd int, base string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(dirfd, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == 0
}

// setProperties gives a file or directory its owner, mode and attributes, in
// the order in which none undoes another: a new owner drops setuid bits and
// capabilities.
func setProperties(fd int, hdr *tar.Header, mayInheritGroup bool) error {
	if !validOwner(hdr) {
		return entryError(hdr.Name, fmt.Errorf("owner %d:%d", hdr.Uid, hdr.Gid))
	}
	if hdr.Uid != 0 || hdr.Gid != 0 || mayInheritGroup {
		if err := unix.Fchown(fd, hdr.Uid, hdr.Gid); err != nil {
			return err
		}
	}
	if err := unix.Fchmod(fd, mode(hdr)); err != nil {
		return err
	}
	return setXattrs(fd, hdr)
}

// setXattrs sets the attributes that mean something inside an image: the
// user's own, capabilities and access lists. Others are the host's business
// (trusted.overlay.* would let a layer redirect overlayfs).
func setXattrs(fd int, hdr *tar.Header) error {
	for key, value := range hdr.PAXRecords {
		name, ok := strings.CutPrefix(key, "SCHILY.xattr.")
		if !ok || !keptXattr(name) {
			continue
		}
		err := unix.Fsetxattr(fd, name, []byte(value), 0)
		if errors.Is(err, unix.EOPNOTSUPP) && strings.HasPrefix(name, "user.") {
			continue // the file system has none; nothing relies on them
		}
		if isOneOf(err, unix.ERANGE, unix.EINVAL, unix.E2BIG, unix.ENOSPC) {
			return entryError(hdr.Name, fmt.Errorf("attribute %q: %w", clip(name), err))
		}
		if err != nil {
			return fmt.Errorf("attribute %q: %w", clip(name), err)
		}
	}
	return nil
}

func keptXattr(name string) bool {
	switch name {
	case "security.capability", "system.posix_acl_access", "system.posix_acl_default":
		return true
	}
	// user.overlay.* is what overlayfs mounted with userxattr listens to.
	return strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "user.overlay.") &&
		!strings.ContainsRune(name, 0)
}

// setOwnerAndTime is for what has neither mode nor attributes of its own.
func setOwnerAndTime(d *openDir, base string, hdr *tar.Header) error {
	if !validOwner(hdr) {
		return entryError(hdr.Name, fmt.Errorf("owner %d:%d", hdr.Uid, hdr.Gid))
	}
	if err := unix.Fchownat(d.fd, base, hdr.Uid, hdr.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	return setTime(d, base, hdr)
}

func setTime(d *openDir, base string, hdr *tar.Header) error {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, timespec(hdr)}
	return unix.UtimesNanoAt(d.fd, base, times, unix.AT_SYMLINK_NOFOLLOW)
}

func timespec(hdr *tar.Header) unix.Timespec {
	return unix.Timespec{Sec: hdr.ModTime.Unix(), Nsec: int64(hdr.ModTime.Nanosecond())}
}

// mode is the entry's permission bits with setuid, setgid and sticky.
func mode(hdr *tar.Header) uint32 { return uint32(hdr.Mode) & 0o7777 }
