package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// Quota is the CPU quota of a group, held open: setting it takes a few
// microseconds, most of which opening it would take again each time. It is safe for
// concurrent use.
type Quota struct {
	group *Group
	// file is nil on a host without the controller.
	file *os.File
}

// OpenQuota opens the group's quota, which the caller must Close. A group that is
// not there answers fs.ErrNotExist.
func (g *Group) OpenQuota() (*Quota, error) {
	dir, name := g.dir("cpu"), "cpu.cfs_quota_us"
	if g.host.Mode == Unified {
		name = "cpu.max"
	}
	if dir == "" {
		return &Quota{group: g}, nil
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the CPU quota of cgroup %s: %w", g.path, err)
	}
	return &Quota{group: g, file: f}, nil
}

// Set bounds the CPU time of the group, and of those below it together, from now
// on; 0 is the least that there is, a hundredth of a CPU. What stood still for want
// of it goes on at once if there is enough now. A group that has gone is no error.
func (q *Quota) Set(cpu contract.MilliCPU) error {
	if q.file == nil {
		return nil
	}
	value := strconv.AppendInt(nil, quota(cpu), 10)
	if q.group.host.Mode == Unified {
		value = strconv.AppendInt(append(value, ' '), period, 10)
	}
	if _, err := q.file.WriteAt(value, 0); err != nil && !errors.Is(gone(err), fs.ErrNotExist) {
		return fmt.Errorf("set the CPU quota of cgroup %s: %w", q.group.path, err)
	}
	return nil
}

// Close lets go of the quota; it stays as it was set.
func (q *Quota) Close() error {
	if q.file == nil {
		return nil
	}
	return q.file.Close()
}
