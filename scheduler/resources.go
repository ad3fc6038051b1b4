package scheduler

import (
	"math"
	"strconv"

	"runnel/contract"
)

// Resources is an amount of what tasks compete for.
type Resources struct {
	CPU    contract.MilliCPU
	Memory contract.Bytes
}

// Add is r and o together.
func (r Resources) Add(o Resources) Resources {
	return Resources{CPU: r.CPU + o.CPU, Memory: r.Memory + o.Memory}
}

// Sub is what is left of r without o.
func (r Resources) Sub(o Resources) Resources {
	return Resources{CPU: r.CPU - o.CPU, Memory: r.Memory - o.Memory}
}

// Fits reports whether r fits into free. What is not wanted may have been
// overdrawn, as CPU has been where a host has less than before.
func (r Resources) Fits(free Resources) bool {
	return (r.CPU == 0 || r.CPU <= free.CPU) && (r.Memory == 0 || r.Memory <= free.Memory)
}

// Times is how often r fits into free; math.MaxInt if r is nothing at all.
func (r Resources) Times(free Resources) int {
	times := math.MaxInt
	if r.CPU > 0 {
		times = min(times, max(0, int(free.CPU/r.CPU)))
	}
	if r.Memory > 0 {
		times = min(times, max(0, int(free.Memory/r.Memory)))
	}
	return times
}

// String is for people: "2 CPU and 22Gi".
func (r Resources) String() string { return r.CPU.CPUs() + " CPU and " + r.memory() }

// memory is that of r for people. What is no whole number of mebibytes is rounded
// down to a tenth of a gibibyte, or to a mebibyte.
func (r Resources) memory() string {
	switch {
	case r.Memory%contract.MiB == 0:
	case r.Memory >= contract.GiB:
		tenths := math.Floor(float64(r.Memory) / float64(contract.GiB) * 10)
		return strconv.FormatFloat(tenths/10, 'f', -1, 64) + "Gi"
	case r.Memory >= contract.MiB:
		return (r.Memory / contract.MiB * contract.MiB).String()
	}
	return r.Memory.String()
}
