package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// mountPrivate mounts a tmpfs on dir that only this mount namespace sees, and
// that goes when the namespace goes. The shim was started in a namespace of
// its own; what is mounted or unmounted on the host still reaches it, so that
// it holds no disk of the host's busy, but nothing goes the other way.
func mountPrivate(dir string) (string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return "", fmt.Errorf("detach from the host's mounts: %w", err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700"); err != nil {
		return "", fmt.Errorf("mount private tmpfs: %w", err)
	}
	if err := unix.Mount("", dir, "", unix.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("keep tmpfs private: %w", err)
	}
	return dir, nil
}
