package runtime_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"runnel/cgroups"
	"runnel/contract"
)

// groupFile reads a control file of a group below that of all instances, by its
// name on v2 or on v1.
func (b *bench) groupFile(group, v2, controller, v1 string) string {
	b.t.Helper()
	text, err := os.ReadFile(b.groupPath(group, v2, controller, v1))
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func (b *bench) groupPath(group, v2, controller, v1 string) string {
	b.t.Helper()
	host, err := cgroups.Detect()
	if err != nil {
		b.t.Fatal(err)
	}
	name := v1
	if host.Mode == cgroups.Unified {
		name = v2
	}
	return filepath.Join(host.Controllers[controller], b.parent, group, name)
}

// limits are the CPU quota and the memory limit of a group; 0 for none.
func (b *bench) limits(group string) (contract.MilliCPU, contract.Bytes) {
	b.t.Helper()
	quota, period, _ := strings.Cut(b.groupFile(group, "cpu.max", "cpu", "cpu.cfs_quota_us"), " ")
	if period != "" && period != "100000" {
		b.t.Errorf("period %s", period)
	}
	cpu, err := strconv.Atoi(quota)
	if err != nil || cpu < 0 {
		cpu = 0
	}
	memory, err := strconv.ParseInt(b.groupFile(group, "memory.max", "memory", "memory.limit_in_bytes"), 10, 64)
	if err != nil || memory > 1<<60 {
		memory = 0
	}
	return contract.MilliCPU(cpu / 100), contract.Bytes(memory)
}

// setMemory changes the memory limit of a group.
func (b *bench) setMemory(group string, limit contract.Bytes) {
	b.t.Helper()
	file := b.groupPath(group, "memory.max", "memory", "memory.limit_in_bytes")
	if err := os.WriteFile(file, fmt.Append(nil, int64(limit)), 0); err != nil {
		b.t.Fatal(err)
	}
}

// procs are the processes of a group.
func (b *bench) procs(group string) []int {
	b.t.Helper()
	host, err := cgroups.Detect()
	if err != nil {
		b.t.Fatal(err)
	}
	g, err := host.Group(filepath.Join(b.parent, group))
	if err != nil {
		b.t.Fatal(err)
	}
	procs, err := g.Procs()
	if err != nil {
		b.t.Fatal(err)
	}
	return procs
}

// rootOf is a path in the root of the container of a group.
func (b *bench) rootOf(group, path string) string {
	b.t.Helper()
	procs := b.procs(group)
	if len(procs) == 0 {
		b.t.Fatalf("no process in %s", group)
	}
	return fmt.Sprintf("/proc/%d/root%s", procs[0], path)
}
