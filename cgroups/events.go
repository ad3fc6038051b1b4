package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
)

// Events is what has befallen a group.
type Events struct {
	// OOMKills counts the processes that the kernel killed because the group
	// reached its memory limit.
	OOMKills uint64
}

// Events reads the group's counters, those of the groups below included. They
// stay readable after the last process has ended, until Remove. It needs Linux
// 4.13.
func (g *Group) Events() (Events, error) {
	kills, err := g.oomKills()
	if err != nil {
		return Events{}, fmt.Errorf("read the events of cgroup %s: %w", g.path, err)
	}
	return Events{OOMKills: kills}, nil
}

// oomKills counts, rather than reaching the limit, kills by it: a group at its
// limit that could be relieved has lost nothing.
func (g *Group) oomKills() (uint64, error) {
	dir := g.dir("memory")
	if dir == "" {
		return 0, nil
	}
	if g.host.Mode == Unified {
		keys, err := readKeys(dir, "memory.events")
		return keys["oom_kill"], err
	}
	// A v1 counter leaves out the groups below.
	first, err := readKeys(dir, "memory.oom_control")
	if err != nil {
		return 0, err
	}
	dirs, err := below(dir)
	sum := first["oom_kill"]
	for _, d := range dirs {
		if d == dir {
			continue
		}
		keys, e := readKeys(d, "memory.oom_control")
		if e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		sum += keys["oom_kill"]
	}
	return sum, err
}
