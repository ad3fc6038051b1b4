package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
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
