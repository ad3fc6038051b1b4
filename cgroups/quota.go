package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"runnel/contract"
)

// LiftQuota lets the group and those below it use every CPU from now on, for
// the time that is left to them: a process that has been killed ends on a CPU,
// and thousands that share half a one take minutes. A group that is not there,
// and a host without the controller, are no error.
func (g *Group) LiftQuota() error {
	dir, name, none := g.dir("cpu"), "cpu.cfs_quota_us", "-1"
	if g.host.Mode == Unified {
		name, none = "cpu.max", "max"
	}
	if dir == "" {
		return nil
	}
	dirs, err := below(dir)
	for _, d := range dirs {
		if werr := gone(writeFile(d, name, none)); werr != nil && !errors.Is(werr, fs.ErrNotExist) {
			err = errors.Join(err, werr)
		}
	}
	if err != nil {
		return fmt.Errorf("lift the CPU quota of cgroup %s: %w", g.path, err)
	}
	return nil
}

// SetQuota bounds the CPU time of the group, and of those below it together, from
// now on; 0 is the least that there is, a hundredth of a CPU. What stood still for
// want of it goes on at once if there is enough now. A group that is not there, and
// a host without the controller, are no error.
func (g *Group) SetQuota(cpu contract.MilliCPU) error {
	dir, name, value := g.dir("cpu"), "cpu.cfs_quota_us", strconv.FormatInt(quota(cpu), 10)
	if g.host.Mode == Unified {
		name, value = "cpu.max", value+" "+strconv.Itoa(period)
	}
	if dir == "" {
		return nil
	}
	err := gone(writeFile(dir, name, value))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("set the CPU quota of cgroup %s: %w", g.path, err)
	}
	return nil
}
