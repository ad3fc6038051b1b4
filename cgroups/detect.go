package cgroups

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// v1Controllers are the words that name a controller among the options of a v1
// mount; the rest of the options are not our business.
var v1Controllers = [...]string{
	"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb",
	"memory", "misc", "net_cls", "net_prio", "perf_event", "pids", "rdma",
}

// Detect finds out how this host mounts its cgroups. It answers ErrNoCgroups
// where it does not. It needs no privilege.
func Detect() (*Host, error) {
	// Not /proc/self: that is the process's first thread, which may have been
	// lent to a goroutine that moved it to another mount namespace.
	mounts, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mounts: %w", err)
	}
	own, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("read the own cgroups: %w", err)
	}
	h, err := parseHost(string(mounts), string(own))
	if err != nil {
		return nil, err
	}
	return h, h.look()
}

// look adds what only the hierarchies themselves tell.
func (h *Host) look() error {
	if h.Mode != Unified {
		_, err := os.Stat(h.Controllers["memory"] + "/memory.memsw.limit_in_bytes")
		h.SwapAccounting = err == nil
		return nil
	}
	names, err := readWords(h.Unified, "cgroup.controllers")
	if err != nil {
		return fmt.Errorf("list the controllers: %w", err)
	}
	for _, name := range names {
		h.Controllers[name] = h.Unified
	}
	return nil
}

// parseHost reads the texts of mountinfo and /proc/self/cgroup. Where a
// hierarchy is mounted twice, the mount under /sys/fs/cgroup counts, because
// that is where libcontainer looks.
func parseHost(mounts, own string) (*Host, error) {
	h := &Host{Controllers: map[string]string{}, Own: parseOwn(own)}
	for line := range strings.Lines(mounts) {
		point, fstype, options := parseMount(line)
		switch fstype {
		case "cgroup2":
			h.Unified = prefer(h.Unified, point)
		case "cgroup":
			for option := range strings.SplitSeq(options, ",") {
				if slices.Contains(v1Controllers[:], option) || strings.HasPrefix(option, "name=") {
					h.Controllers[option] = prefer(h.Controllers[option], point)
				}
			}
		}
	}
	_, cpu := h.Controllers["cpu"]
	_, memory := h.Controllers["memory"]
	_, pids := h.Controllers["pids"]
	v1 := cpu || memory || pids
	switch {
	case v1 && h.Unified != "":
		h.Mode = Hybrid
	case v1:
		h.Mode = Legacy
	case h.Unified != "":
		// What v1 hierarchies are left over are of no use to us.
		h.Mode, h.Controllers = Unified, map[string]string{}
	default:
		return nil, ErrNoCgroups
	}
	return h, nil
}

// prefer chooses between two mount points of one hierarchy.
func prefer(have, found string) string {
	const usual = "/sys/fs/cgroup"
	if have == "" || !strings.HasPrefix(have, usual) && strings.HasPrefix(found, usual) {
		return found
	}
	return have
}

// parseMount takes the mount point, the type and the super block's options
// from a line of mountinfo; empty strings from a line of another form.
func parseMount(line string) (point, fstype, options string) {
	left, right, _ := strings.Cut(line, " - ")
	l, r := strings.Fields(left), strings.Fields(right)
	if len(l) < 6 || len(r) < 3 {
		return "", "", ""
	}
	return unescape(l[4]), r[0], r[2]
}

// unescape undoes the octal escapes the kernel writes for blanks.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// parseOwn reads /proc/self/cgroup: "4:cpu,cpuacct:/path" a line, and "0::/path"
// for the v2 hierarchy.
func parseOwn(text string) map[string]string {
	own := map[string]string{}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for name := range strings.SplitSeq(parts[1], ",") {
			own[name] = parts[2]
		}
	}
	return own
}
