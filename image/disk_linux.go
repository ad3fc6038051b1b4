package image

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeBytes is how much root may still write to the file system of path.
func freeBytes(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", path, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// syncFS writes the whole file system of path to the disk and reports what
// could not be written since path was opened.
func syncFS(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = unix.Syncfs(int(f.Fd()))
	if err != nil {
		err = fmt.Errorf("syncfs %s: %w", path, diskError(err))
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(diskError(f.Sync()), f.Close())
}

// lockFile takes the lock of a store, which the kernel drops with the process.
// The caller closes the file to give it back.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// opaqueRoot tells whether a layer hides everything below it. Overlayfs does
// not look at the mark on a layer's own root, so the stack is cut there.
func opaqueRoot(layerDir string) bool {
	var value [1]byte
	n, err := unix.Lgetxattr(layerDir, xattrOpaque, value[:])
	return err == nil && n == 1 && value[0] == 'y'
}

// diskUsage is how many bytes of disk one file holds; each of several hard
// links counts for its share.
func diskUsage(info os.FileInfo) int64 {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Nlink == 0 {
		return 0
	}
	if info.IsDir() {
		return st.Blocks * 512
	}
	return st.Blocks * 512 / int64(st.Nlink)
}

// topDirFlag is FS_TOPDIR_FL of linux/fs.h: what is made in this directory is
// unrelated.
const topDirFlag = 0x00020000

// spreadChildren asks ext4 to give each directory made in path a part of the
// disk of its own. Layers then do not queue up in a block group that is full
// already: on a used disk that makes creating files ten times faster. Other
// file systems refuse, and need no advice.
func spreadChildren(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS); err == nil {
		_ = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags|topDirFlag)) // advice only
	}
	return f.Close()
}
