package cgroups

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Mode is how a host arranges its cgroup hierarchies.
type Mode int

// The three arrangements.
const (
	// Unified is cgroup v2: one hierarchy carries every controller.
	Unified Mode = iota + 1
	// Hybrid is cgroup v1 for the controllers, and a v2 hierarchy without
	// them beside it, good for killing.
	Hybrid
	// Legacy is cgroup v1 alone.
	Legacy
)

// String is the arrangement in the words of the field.
func (m Mode) String() string {
	switch m {
	case Unified:
		return "v2"
	case Hybrid:
		return "v1 hybrid"
	case Legacy:
		return "v1"
	}
	return "unknown"
}

// Host is how one host mounts its cgroups. It is plain data, as Detect finds it
// or a test makes it up, and is not changed after. Its methods are safe for
// concurrent use.
type Host struct {
	Mode Mode
	// Unified is the mount point of the v2 hierarchy; empty on Legacy.
	Unified string
	// Controllers maps a controller to the mount point of its hierarchy:
	// "memory" to "/sys/fs/cgroup/memory". Controllers mounted together share
	// theirs, and under Unified all do. A named v1 hierarchy stands here as
	// "name=systemd".
	Controllers map[string]string
	// Own maps a controller, or "" for the v2 hierarchy, to the path of the
	// group this process was in.
	Own map[string]string
	// SwapAccounting says that a v1 host can limit memory and swap together.
	SwapAccounting bool
}

// needed and wanted are the controllers of each arrangement: those without
// which no instance can be bounded, and those that only make things better.
//
// Memory comes first under v2, because the kernel refuses it below a group with
// processes of its own. The others it grants there, and makes the group a
// threaded one by that, which can never have memory limits below.
func needed(m Mode) []string {
	if m == Unified {
		return []string{"memory", "cpu", "pids"}
	}
	// Usage is counted by one controller of its own, and device access is
	// bounded by another.
	return []string{"cpu", "cpuacct", "devices", "memory", "pids"}
}

func wanted(m Mode) []string {
	if m == Unified {
		return []string{"cpuset", "io"}
	}
	return []string{"blkio", "cpuset", "freezer"}
}

// Missing lists the controllers that the host lacks: those no instance can run
// without, and those that are good to have. Both are nil on a host that lacks
// nothing.
func (h *Host) Missing() (need, want []string) {
	lack := func(names []string) (out []string) {
		for _, name := range names {
			if h.Controllers[name] == "" {
				out = append(out, name)
			}
		}
		return out
	}
	return lack(needed(h.Mode)), lack(wanted(h.Mode))
}

// trees lists the mount points of all hierarchies, each once.
func (h *Host) trees() []string {
	seen := map[string]bool{}
	for _, dir := range h.Controllers {
		seen[dir] = true
	}
	if h.Unified != "" {
		seen[h.Unified] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// checkPath keeps what kills and removes away from every group that cannot be
// Runnel's: the root, and what a stray ".." would lead to.
func checkPath(p string) error {
	if !path.IsAbs(p) || path.Clean(p) != p || p == "/" || strings.ContainsRune(p, 0) {
		return ErrPath
	}
	return nil
}
