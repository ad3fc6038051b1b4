package look

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Allowed is what Powers say of a call that succeeds.
const Allowed = "allowed"

// powers tries system calls that are for those who run the host, in a way that
// leaves no trace where they succeed: several get arguments that cannot be meant,
// so that who has the right is told EINVAL or the like, and who has not EPERM.
func powers() map[string]string {
	found := map[string]string{}
	var done = make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: what a call does to the thread ends with it
		for name, call := range powerCalls() {
			found[name] = Allowed
			if err := call(); err != nil {
				found[name] = said(err)
			}
		}
	}()
	<-done
	return found
}

func powerCalls() map[string]func() error {
	const nobody = -1 // no such descriptor, address or key
	calls := map[string]func() error{
		"mount tmpfs":  func() error { return tryMount("tmpfs", 0) },
		"mount bind":   func() error { return tryMount("", unix.MS_BIND) },
		"remount":      func() error { return tryMount("", unix.MS_REMOUNT|unix.MS_BIND) },
		"umount":       func() error { return unix.Unmount("/proc/self/fd", 0) },
		"sethostname":  func() error { name, _ := os.Hostname(); return unix.Sethostname([]byte(name)) },
		"setns":        func() error { return setns("/proc/1/ns/net") },
		"reboot":       func() error { _, _, n := unix.Syscall(unix.SYS_REBOOT, 0, 0, 0); return failed(n) },
		"init_module":  func() error { return unix.InitModule(nil, "") },
		"settimeofday": func() error { return unix.Settimeofday(&unix.Timeval{Usec: nobody}) },
		"swapoff":      func() error { _, _, n := unix.Syscall(unix.SYS_SWAPOFF, 0, 0, 0); return failed(n) },
		"pivot_root":   func() error { return unix.PivotRoot("/nothing", "/nothing") },
		"keyctl": func() error {
			_, err := unix.KeyctlInt(unix.KEYCTL_GET_KEYRING_ID, unix.KEY_SPEC_SESSION_KEYRING, 0, 0, 0)
			return err
		},
		"bpf":               func() error { _, _, n := unix.Syscall(unix.SYS_BPF, 0, 0, 0); return failed(n) },
		"perf_event_open":   func() error { _, err := unix.PerfEventOpen(&unix.PerfEventAttr{}, 0, nobody, nobody, 0); return err },
		"syslog":            func() error { _, err := unix.Klogctl(unix.SYSLOG_ACTION_SIZE_BUFFER, nil); return err },
		"iopl":              func() error { _, _, n := unix.Syscall(unix.SYS_IOPL, 3, 0, 0); return failed(n) },
		"open block device": func() error { return openDevice("block", unix.S_IFBLK, unix.Mkdev(8, 0)) },
		"open /dev/kmsg":    func() error { return openDevice("kmsg", unix.S_IFCHR, unix.Mkdev(1, 11)) },
		"open /dev/mem":     func() error { return openDevice("mem", unix.S_IFCHR, unix.Mkdev(1, 1)) },
		"set a link":        setLink,
	}
	for name, flag := range map[string]int{"user": unix.CLONE_NEWUSER, "mount": unix.CLONE_NEWNS, "net": unix.CLONE_NEWNET, "pid": unix.CLONE_NEWPID} {
		calls["unshare "+name] = func() error { return unix.Unshare(flag) }
	}
	return calls
}

// tryMount mounts something over a directory of its own.
func tryMount(kind string, flags uintptr) error {
	dir, err := os.MkdirTemp("", ".inside-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(dir) }() // made for nothing else
	if err := unix.Mount("/", dir, kind, flags, ""); err != nil {
		return err
	}
	return unix.Unmount(dir, unix.MNT_DETACH)
}

func setns(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Setns(fd, 0)
}

// openDevice makes a node, which may be allowed, and opens it.
func openDevice(name string, kind uint32, number uint64) error {
	path := "/tmp/.inside-" + name
	if err := unix.Mknod(path, kind|0o600, int(number)); err != nil {
		return err
	}
	defer func() { _ = unix.Unlink(path) }() // made for nothing else
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// setLink gives the loopback interface another state: the one that it has.
func setLink() error {
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(sock)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(sock, unix.SIOCGIFFLAGS, lo); err != nil {
		return err
	}
	return unix.IoctlIfreq(sock, unix.SIOCSIFFLAGS, lo)
}

func failed(n unix.Errno) error {
	if n == 0 {
		return nil
	}
	return n
}
