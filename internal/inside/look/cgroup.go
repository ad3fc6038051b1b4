package look

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Cgroup is what the process sees of the groups that account for it.
type Cgroup struct {
	// Lines are /proc/self/cgroup: of each hierarchy the path of the group, as it
	// looks from the cgroup namespace.
	Lines []string `json:"lines"`
	// Settings are the limits and the use of the process's own group, by file
	// below /sys/fs/cgroup.
	Settings map[string]string `json:"settings"`
	// Groups are the directories of groups below each hierarchy: none, if the
	// process sees only its own.
	Groups []string `json:"groups"`
	// Writable are the files below /sys/fs/cgroup that can be opened for writing,
	// and the directories where a group can be made.
	Writable []string `json:"writable"`
	// Files is how many there are.
	Files int `json:"files"`
}

// shown are the settings that a report holds, of both versions of cgroups.
func shown() []string {
	return []string{
		"cpu.max", "cpu.weight", "cpu.stat", "memory.max", "memory.current", "memory.swap.max", "memory.events", "pids.max", "cgroup.procs",
		"cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares", "memory.limit_in_bytes", "memory.usage_in_bytes",
		"memory.memsw.limit_in_bytes", "cpuacct.usage", "tasks", "cgroup.controllers",
	}
}

func cgroup() Cgroup {
	const top = "/sys/fs/cgroup"
	c := Cgroup{Settings: map[string]string{}, Groups: []string{}, Writable: []string{}, Lines: strings.Split(textOf("/proc/self/cgroup"), "\n")}
	show := map[string]bool{}
	for _, name := range shown() {
		show[name] = true
	}
	_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // not for the process to see
		}
		if d.IsDir() {
			c.addDir(top, path)
			return nil
		}
		c.Files++
		if show[d.Name()] {
			c.Settings[strings.TrimPrefix(path, top+"/")] = textOf(path)
		}
		if d.Type().IsRegular() && write(path) == Writable {
			c.Writable = append(c.Writable, path)
		}
		return nil
	})
	return c
}

// addDir notes a directory: whether it is a group below the process's own, and
// whether another can be made in it.
func (c *Cgroup) addDir(top, path string) {
	above := filepath.Dir(path)
	for _, name := range []string{"cgroup.procs", "tasks"} {
		if _, err := os.Stat(filepath.Join(above, name)); err == nil && path != top {
			c.Groups = append(c.Groups, path)
			break
		}
	}
	made := filepath.Join(path, "inside-was-here")
	if os.Mkdir(made, 0o755) == nil {
		_ = os.Remove(made) // made for nothing else
		c.Writable = append(c.Writable, path)
	}
}
