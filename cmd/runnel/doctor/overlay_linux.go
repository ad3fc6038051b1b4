package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// overlay mounts what an instance's root is: an overlay whose upper layer lies
// on a tmpfs.
func overlay() Finding {
	const name = "overlay on tmpfs"
	dir, err := os.MkdirTemp("", "runnel-doctor-")
	if err != nil {
		return missing(name, err.Error(), "make a temporary directory that can be written")
	}
	err = inNamespaces(unix.CLONE_NEWNS, func() error { return mountOverlay(dir) })
	err = errors.Join(err, os.Remove(dir))
	return tried(name, "mounted", "load the overlay module (modprobe overlay), or boot a kernel with CONFIG_OVERLAY_FS", err)
}

// mountOverlay mounts a tmpfs and an overlay on dir; they go with the calling
// thread's mount namespace.
func mountOverlay(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, sub := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
	merged := filepath.Join(dir, "merged")
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay: %w", err)
	}
	return os.WriteFile(filepath.Join(merged, "file"), []byte("x"), 0o600)
}
