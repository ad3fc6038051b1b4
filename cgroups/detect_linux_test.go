package cgroups_test

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/cgroups"
	"runnel/internal/testenv"
)

// The mounts are those that the caller sees, whatever has become of the thread that
// the process began with.
func TestDetectLooksWhereItIsCalled(t *testing.T) {
	testenv.Root(t)
	found := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with what is done to it
		err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH)
		}
		if err == nil {
			_, err = cgroups.Detect()
		}
		found <- err
	}()
	if err := <-found; !errors.Is(err, cgroups.ErrNoCgroups) {
		t.Errorf("without their mounts: %v, want %v", err, cgroups.ErrNoCgroups)
	}
	if _, err := cgroups.Detect(); err != nil {
		t.Errorf("beside it: %v", err)
	}
}
