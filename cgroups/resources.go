package cgroups

import (
	"runnel/contract"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const (
	// period is the window of the CPU quota in microseconds, the kernel's
	// default. A shorter one would shorten the pauses of an instance with
	// little CPU, but the kernel deals a quota out to the cores in slices of
	// 5 ms and keeps up to 1 ms per core back: of 0.08 CPU it would lose a
	// good part. At 100 ms the smallest quota, 8 ms, is still far above what
	// is lost.
	period = 100_000
	// minQuota is the least the kernel takes, in microseconds.
	minQuota = 1000
	// sharesPerCPU weighs instances against each other when the host has less
	// CPU than all of them together may use: by what each was promised.
	sharesPerCPU = 1024
	// minShares and maxShares bound what the kernel takes.
	minShares, maxShares = 2, 262_144
)

// Resources is l in the form the OCI runtime specification has for the cgroups
// of h. A limit of zero or less sets nothing. Device rules are not part of it.
//
// Memory is a hard limit, and swap adds nothing to it: under v2 and on a v1
// host that accounts for swap, memory and swap together have the same limit.
// On a v1 host that does not, only swappiness can keep an instance in memory.
// Under v2 the kernel ends every process of an instance when one is to die of
// the limit; on v1 it ends that one only, see WaitOOM.
func (l Limits) Resources(h *Host) *specs.LinuxResources {
	r := &specs.LinuxResources{}
	if l.CPU > 0 {
		r.CPU = &specs.LinuxCPU{
			Shares: new(cpuShares(l.CPU)),
			Quota:  new(quota(l.CPU)),
			Period: new(uint64(period)),
		}
	}
	if l.Memory > 0 {
		r.Memory = memory(l.Memory, h)
	}
	if l.PIDs > 0 {
		r.Pids = &specs.LinuxPids{Limit: new(l.PIDs)}
	}
	if l.Memory > 0 && h.Mode == Unified {
		r.Unified = map[string]string{"memory.oom.group": "1"}
	}
	return r
}

// memory limits memory, and swap along with it as well as h can.
func memory(limit contract.Bytes, h *Host) *specs.LinuxMemory {
	m := &specs.LinuxMemory{Limit: new(int64(limit))}
	if h.Mode == Unified || h.SwapAccounting {
		m.Swap = new(int64(limit))
	} else {
		m.Swappiness = new(uint64(0))
	}
	return m
}

// quota is what cpu is in microseconds a period.
func quota(cpu contract.MilliCPU) int64 { return max(minQuota, int64(cpu)*period/1000) }

// cpuShares is the weight of an instance with cpu.
func cpuShares(cpu contract.MilliCPU) uint64 {
	return uint64(min(maxShares, max(minShares, int64(cpu)*sharesPerCPU/1000)))
}
