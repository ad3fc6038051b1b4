package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"time"

	"runnel/contract"
)

// Usage is what a group has used up to now, with the groups below it.
type Usage struct {
	// CPU is the time spent on all cores together.
	CPU time.Duration
	// Periods counts the quota's periods in which the group ran at all,
	// ThrottledPeriods those in which it used the quota up, and Throttled the
	// time it then stood still.
	Periods, ThrottledPeriods uint64
	Throttled                 time.Duration
	// Memory is charged to the group now; MemoryPeak is the most that ever
	// was, 0 where the kernel does not tell (v2 before Linux 5.19).
	Memory, MemoryPeak contract.Bytes
	// PIDs counts processes and threads.
	PIDs int64
}

// Usage reads the group's counters. A controller that the host lacks leaves its
// fields zero.
func (g *Group) Usage() (Usage, error) {
	var u Usage
	var err error
	if g.host.Mode == Unified {
		err = g.usageV2(&u)
	} else {
		err = g.usageV1(&u)
	}
	if err != nil {
		return Usage{}, fmt.Errorf("read the usage of cgroup %s: %w", g.path, err)
	}
	return u, nil
}

// dir is the group's directory in the hierarchy of controller; empty if the
// host lacks it.
func (g *Group) dir(controller string) string {
	tree := g.host.Controllers[controller]
	if tree == "" {
		return ""
	}
	return filepath.Join(tree, g.path)
}

func (g *Group) usageV2(u *Usage) error {
	stat, err := readKeys(filepath.Join(g.host.Unified, g.path), "cpu.stat")
	if err != nil {
		return err
	}
	u.CPU = microseconds(stat["usage_usec"])
	u.Periods, u.ThrottledPeriods = stat["nr_periods"], stat["nr_throttled"]
	u.Throttled = microseconds(stat["throttled_usec"])
	memory, pids := g.dir("memory"), g.dir("pids")
	return errors.Join(
		number(memory, "memory.current", &u.Memory),
		optional(number(memory, "memory.peak", &u.MemoryPeak)),
		number(pids, "pids.current", &u.PIDs),
	)
}

func (g *Group) usageV1(u *Usage) error {
	if dir := g.dir("cpu"); dir != "" {
		stat, err := readKeys(dir, "cpu.stat")
		if err != nil {
			return err
		}
		u.Periods, u.ThrottledPeriods = stat["nr_periods"], stat["nr_throttled"]
		u.Throttled = time.Duration(stat["throttled_time"])
	}
	memory := g.dir("memory")
	return errors.Join(
		number(g.dir("cpuacct"), "cpuacct.usage", &u.CPU),
		number(memory, "memory.usage_in_bytes", &u.Memory),
		number(memory, "memory.max_usage_in_bytes", &u.MemoryPeak),
		number(g.dir("pids"), "pids.current", &u.PIDs),
	)
}

// number reads a control file of dir into to. An empty dir stands for a
// controller the host lacks.
func number[T ~int64](dir, name string, to *T) error {
	if dir == "" {
		return nil
	}
	n, err := readUint(dir, name)
	*to = T(min(n, math.MaxInt64))
	return err
}

// optional makes nothing of a control file that an older kernel lacks.
func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func microseconds(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }
