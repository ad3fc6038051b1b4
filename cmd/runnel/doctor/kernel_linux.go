package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// version is a kernel's, as far as it matters.
type version struct{ major, minor int }

func (v version) less(o version) bool {
	return v.major < o.major || v.major == o.major && v.minor < o.minor
}

// openat2 came with leastKernel, cgroup.kill with goodKernel.
// Source: openat2(2); Documentation/admin-guide/cgroup-v2.rst.
func leastKernel() version { return version{5, 6} }
func goodKernel() version  { return version{5, 14} }

func kernel() Finding {
	const name = "kernel"
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return missing(name, err.Error(), "")
	}
	return judgeKernel(unix.ByteSliceToString(uts.Release[:]))
}

// judgeKernel is the finding about a kernel of the given release.
func judgeKernel(release string) Finding {
	const name = "kernel"
	var v version
	if _, err := fmt.Sscanf(release, "%d.%d", &v.major, &v.minor); err != nil {
		return degraded(name, "release "+release+" is no version", "")
	}
	switch {
	case v.less(leastKernel()):
		return missing(name, release+" resolves no path beneath a root (openat2)", "boot Linux 5.6 or newer, best 5.14 or newer")
	case v.less(goodKernel()):
		return degraded(name, release+" kills no cgroup at once", "boot Linux 5.14 or newer")
	}
	return ok(name, release)
}

func namespaces() Finding {
	const name = "namespaces"
	kinds := []string{"pid", "mnt", "ipc", "uts", "net", "cgroup"}
	var lacking []string
	for _, kind := range kinds {
		if _, err := os.Stat(filepath.Join("/proc/self/ns", kind)); err != nil {
			lacking = append(lacking, kind)
		}
	}
	if len(lacking) > 0 {
		return missing(name, "no "+strings.Join(lacking, ", "), "boot a kernel that has them")
	}
	return ok(name, strings.Join(kinds, ", "))
}

func seccomp() Finding {
	const name = "seccomp"
	actions, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	switch {
	case errors.Is(err, os.ErrNotExist):
		return missing(name, "the kernel filters no system calls", "boot a kernel with CONFIG_SECCOMP_FILTER")
	case err != nil:
		return missing(name, err.Error(), "")
	case !strings.Contains(string(actions), "errno"):
		return missing(name, "filters cannot return errors: "+strings.TrimSpace(string(actions)), "boot Linux 5.6 or newer")
	}
	return ok(name, "filters available")
}
