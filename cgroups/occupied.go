package cgroups

import (
	"fmt"

	"runnel/contract"
)

// Occupied is the memory of the group, and of the groups below it, that the
// kernel cannot take back while they live: what their processes have written to
// memory, and files on tmpfs. Other than Usage.Memory it leaves out what is
// cached of disks. A host without the controller does not tell: 0.
func (g *Group) Occupied() (contract.Bytes, error) {
	dir := g.dir("memory")
	if dir == "" {
		return 0, nil
	}
	stat, err := readKeys(dir, "memory.stat")
	if err != nil {
		return 0, fmt.Errorf("read the memory of cgroup %s: %w", g.path, err)
	}
	if g.host.Mode == Unified {
		return contract.Bytes(stat["anon"] + stat["shmem"]), nil
	}
	return contract.Bytes(stat["total_rss"] + stat["total_shmem"]), nil
}
