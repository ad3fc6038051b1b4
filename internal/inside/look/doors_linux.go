package look

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Door is a path that may lead to the host, and what came of trying it.
type Door struct {
	// Read is what reading gave: a size, such as "0 bytes" or "128 bytes and
	// more", the number of names in a directory, or the error, such as EACCES.
	Read string `json:"read"`
	// Write is the error of opening it for writing, or of making a file in a
	// directory; "can be written" if there is none.
	Write string `json:"write"`
}

// Masked is what both say where the null device stands in a file's place.
const Masked = "the null device"

// Writable is what Write says of a door that is open.
const Writable = "can be written"

// doors tries those that container platforms close.
func doors() map[string]Door {
	found := map[string]Door{}
	for _, path := range []string{
		"/", "/dev", "/etc", "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/fs", "/proc/interrupts", "/proc/irq",
		"/proc/kcore", "/proc/keys", "/proc/kmsg", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
		"/proc/sys", "/proc/sys/fs/binfmt_misc", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
		"/proc/sys/kernel/modprobe", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/vm/overcommit_memory",
		"/proc/sysrq-trigger", "/proc/timer_list", "/proc/timer_stats", "/sys", "/sys/devices/virtual/powercap",
		"/sys/firmware", "/sys/fs/cgroup", "/sys/kernel", "/sys/kernel/debug", "/sys/kernel/security",
		"/sys/kernel/uevent_helper", "/sys/module", "/sys/power/state", "/tmp", "/var/log",
	} {
		found[path] = Try(path)
	}
	return found
}

// Try tries one. Nothing is written to a file; what is made in a directory is
// removed again.
func Try(path string) Door {
	info, err := os.Stat(path)
	if err != nil {
		return Door{said(err), said(err)}
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode()&os.ModeCharDevice != 0 && st.Rdev == unix.Mkdev(1, 3) {
		return Door{Masked, Masked}
	}
	if info.IsDir() {
		return Door{readDir(path), writeDir(path)}
	}
	return Door{read(path), write(path)}
}

func readDir(path string) string {
	names, err := os.ReadDir(path)
	if err != nil {
		return said(err)
	}
	return plural(len(names), "name")
}

func writeDir(path string) string {
	f, err := os.CreateTemp(path, ".inside-")
	if err != nil {
		return said(err)
	}
	_ = f.Close()
	_ = os.Remove(f.Name()) // made for nothing else
	return Writable
}

// read looks at the beginning of a file, and never waits for it.
func read(path string) string {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return said(err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	buf := make([]byte, 128)
	n, err := f.Read(buf)
	switch {
	case n == len(buf):
		return "128 bytes and more"
	case n > 0 || err == io.EOF:
		return plural(n, "byte")
	}
	return said(err)
}

func write(path string) string {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return said(err)
	}
	_ = unix.Close(fd)
	return Writable
}
