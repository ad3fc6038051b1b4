// Package autoscale decides how many instances a revision should have: a pure
// function of its limits, of what has been observed of it, and of the time.
package autoscale

import (
	"time"

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

// Sample is what was observed of a revision at one moment.
type Sample struct {
	At time.Time
	// Instances that are ready, and those that are starting.
	Ready, Starting int
	// Active requests have an instance, Waiting ones have none.
	Active, Waiting int
	// Demand is the growing sum of ingress.Stats; CPU the growing sum of the CPU
	// time that the revision's instances have used while they had requests.
	Demand time.Duration
	CPU    time.Duration
}

// Decider remembers the samples of the last minute of one revision. Its zero
// value has seen nothing. It is for one goroutine.
type Decider struct{}

// Decide takes in a sample and says how many instances there should be.
func (d *Decider) Decide(Limits, Sample) int { panic("not built yet") }
