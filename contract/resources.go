package contract

import "fmt"

// Defaults of a container that names no limits.
// Source: Cloud Run container runtime contract, "Resources"; jobs, "Create jobs".
const (
	DefaultCPU    MilliCPU = 1000
	DefaultMemory Bytes    = 512 * MiB
)

// Bounds of what Cloud Run offers at all.
// Source: "Configure CPU limits", "Configure memory limits", "Quotas and limits".
const (
	MinCPU    MilliCPU = 80
	MaxCPU    MilliCPU = 8000
	MaxMemory Bytes    = 32 * GiB
	// MinMemory is the least a container may ask for.
	MinMemory Bytes = 128 * MiB
	// RecommendedMinMemory is what the second-generation environment asks for.
	// One host has reason to run smaller things, so below it is worth a
	// warning, not a refusal.
	RecommendedMinMemory Bytes = 512 * MiB
)

// CheckCPU says whether Cloud Run offers cpu: 0.08 to 1 in steps of 0.001, then
// 1, 2, 4, 6 and 8.
// Source: "Configure CPU limits for services".
func CheckCPU(cpu MilliCPU) error {
	switch {
	case cpu >= MinCPU && cpu <= 1000:
		return nil
	case cpu == 2000, cpu == 4000, cpu == 6000, cpu == 8000:
		return nil
	}
	return fmt.Errorf("%s CPU is not offered: want 0.08 to 1 in steps of 0.001, or 1, 2, 4, 6 or 8", cpu.CPUs())
}

// memoryBand is what a CPU amount up to cpu may be paired with.
type memoryBand struct {
	cpu      MilliCPU
	min, max Bytes
}

// memoryBands is ordered by cpu; the first band that reaches an amount holds.
// Source: "Configure memory limits", table of CPU and memory.
var memoryBands = []memoryBand{
	{499, MinMemory, 512 * MiB},
	{999, MinMemory, 1 * GiB},
	{1000, MinMemory, 4 * GiB},
	{2000, MinMemory, 8 * GiB},
	{4000, 2 * GiB, 16 * GiB},
	{6000, 4 * GiB, 24 * GiB},
	{8000, 4 * GiB, 32 * GiB},
}

// CheckMemory says whether memory may be paired with cpu, which CheckCPU has
// accepted.
func CheckMemory(cpu MilliCPU, memory Bytes) error {
	if memory > MaxMemory {
		return fmt.Errorf("%s is above the limit of %s", memory, MaxMemory)
	}
	for _, b := range memoryBands {
		if cpu > b.cpu {
			continue
		}
		if memory < b.min {
			return fmt.Errorf("%s is too little for %s CPU: want at least %s", memory, cpu.CPUs(), b.min)
		}
		if memory > b.max {
			return fmt.Errorf("%s is too much for %s CPU: want at most %s, or more CPU", memory, cpu.CPUs(), b.max)
		}
		return nil
	}
	return CheckCPU(cpu)
}
