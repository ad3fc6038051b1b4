package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"runnel/internal/vm/wire"
)

// disk is what the machine's root lies on.
const disk = "/dev/vda"

// enterRoot leaves the initial RAM file system for the disk.
//
// The disk is moved over / instead of being pivoted to, since the initial root
// cannot be pivoted from; later pivots, those of containers, start from a
// mount with a parent and work.
func enterRoot() error {
	for _, dir := range []string{"/dev", "/disk"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("devtmpfs", "/dev", "devtmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /dev: %w", err)
	}
	if err := insertModules(); err != nil {
		return err
	}
	if err := await(disk, 30*time.Second); err != nil {
		return err
	}
	if err := unix.Mount(disk, "/disk", "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", disk, err)
	}
	if err := unix.Unmount("/dev", 0); err != nil {
		return fmt.Errorf("unmount the first /dev: %w", err)
	}
	if err := os.Chdir("/disk"); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	// Process 1 shares its root with the kernel's threads, so that the modprobe
	// the kernel calls is the one on the disk.
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("enter the root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return unix.Mount("devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "")
}

// insertModules inserts what the list names, in its order.
func insertModules() error {
	list, err := os.ReadFile(wire.ModulesFile)
	if err != nil {
		return err
	}
	for path := range strings.FieldsSeq(string(list)) {
		if err := insert(path); err != nil {
			return fmt.Errorf("insert %s: %w", path, err)
		}
	}
	return nil
}

func insert(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if !strings.HasSuffix(path, ".ko") {
		flags = unix.MODULE_INIT_COMPRESSED_FILE
	}
	err = unix.FinitModule(int(f.Fd()), "", flags)
	if errors.Is(err, unix.EEXIST) {
		return nil // built in, or inserted by the kernel itself
	}
	return err
}

// await waits until path exists: a device shows up some time after its driver.
func await(path string, limit time.Duration) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("%s has not appeared within %s", path, limit)
		}
	}
}
