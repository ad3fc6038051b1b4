package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystems are what a Linux host of today has mounted, /dev apart.
var fileSystems = []struct {
	kind, dir string
	flags     uintptr
	data      string
}{
	{"proc", "/proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	{"sysfs", "/sys", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	{"cgroup2", "/sys/fs/cgroup", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "nsdelegate"},
	{"devpts", "/dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "gid=5,mode=620,ptmxmode=666"},
	{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	{"mqueue", "/dev/mqueue", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
}

// furnish makes the machine an ordinary host: file systems, cgroup controllers,
// the loopback interface and the limits a system manager would give.
func furnish() error {
	for _, fs := range fileSystems {
		if err := os.MkdirAll(fs.dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(fs.kind, fs.dir, fs.kind, fs.flags, fs.data); err != nil {
			return fmt.Errorf("mount %s: %w", fs.dir, err)
		}
	}
	if err := enableControllers("/sys/fs/cgroup"); err != nil {
		return err
	}
	for fd, name := range []string{"stdin", "stdout", "stderr"} {
		if err := os.Symlink(fmt.Sprintf("/proc/self/fd/%d", fd), "/dev/"+name); err != nil {
			return err
		}
	}
	if err := os.Symlink("/proc/self/fd", "/dev/fd"); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("vm")); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1024, Max: 524288}); err != nil {
		return fmt.Errorf("set RLIMIT_NOFILE: %w", err)
	}
	return loopbackUp()
}

// enableControllers passes every controller on to the children of the root.
func enableControllers(root string) error {
	have, err := os.ReadFile(root + "/cgroup.controllers")
	if err != nil {
		return err
	}
	var enable []string
	for c := range strings.FieldsSeq(string(have)) {
		enable = append(enable, "+"+c)
	}
	return os.WriteFile(root+"/cgroup.subtree_control", []byte(strings.Join(enable, " ")), 0)
}

func loopbackUp() error {
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket to set links up: %w", err)
	}
	defer unix.Close(sock)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(sock, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}
