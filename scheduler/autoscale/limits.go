package autoscale

import (
	"math"

	"runnel/contract"
)

// Limits are what a revision's scaling has to keep to.
type Limits struct {
	// Min and Max bound the instances; Max is at least 1.
	Min, Max int
	// Manual is how many instances there are to be, whatever happens, where it
	// is not negative.
	Manual int
	// Concurrency is how many requests an instance takes at a time, CPU what it
	// may use.
	Concurrency int
	CPU         contract.MilliCPU
	// ConcurrencyTarget and CPUTarget are shares of these that are to be used;
	// 0.6 each if 0, and below 0 not looked at.
	ConcurrencyTarget, CPUTarget float64
}

// defaultTarget is the share of an instance that is to be used.
// Source: Cloud Run, "About instance autoscaling": 60 % of the concurrency and
// of the CPU.
const defaultTarget = 0.6

// loneShare is how much of a lone instance may be used at most before there is
// a second one, unless the target itself is higher.
const loneShare = 0.9

// clamp keeps n within the bounds.
func (l Limits) clamp(n int) int { return min(max(n, l.Min), l.Max) }

// spread is how many instances are to share a load, which is counted in whole
// instances: 1.5 is what keeps one and a half of them busy all the time.
//
// The share of each that may be used is the target where there are many, and
// higher where there are few, since the second instance doubles what a service
// costs and the tenth adds little: with n instances it is target + h/n², where h
// is half the target, but no more than what makes it 90 % with one. At the
// default target that is 0.9, 0.675, 0.633, 0.619, …, 0.6.
func spread(load, target float64) int {
	if target == 0 {
		target = defaultTarget
	}
	if target < 0 || load <= 0 {
		return 0
	}
	higher := max(0, min(target/2, loneShare-target))
	n := int(math.Ceil(load/target - inexact))
	for n > 1 && float64(n-1)*target+higher/float64(n-1) >= load-inexact {
		n--
	}
	return n
}

// inexact is what floating point may have added.
const inexact = 1e-9

// full is how many instances take that many requests at a time.
func (l Limits) full(requests int) int {
	c := max(1, l.Concurrency)
	return (requests + c - 1) / c
}
