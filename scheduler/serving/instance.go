package serving

import (
	"context"
	"net/netip"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/scheduler"
)

// Instance is what is needed of one instance beside what a task's needs.
type Instance interface {
	scheduler.Instance
	// Addr is its address in the instances' network.
	Addr() netip.Addr
	// StartContainer lets the entrypoint of one of its containers run, by its
	// place in the Spec.
	StartContainer(ctx context.Context, n int) error
	// SetCPU sets the CPU quota of each container, in the order of the Spec; 0
	// is the least that there is. It takes effect at once.
	SetCPU(cpu ...contract.MilliCPU) error
	// Usage is what its containers have used together.
	Usage() (cgroups.Usage, error)
}
