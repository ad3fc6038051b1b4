package server

import (
	"context"

	"runnel/cgroups"
)

// watchMemory ends the container as a whole once the kernel has killed one of
// its processes for memory, and returns what stops the watch and waits for it.
// Where the kernel itself kills the whole group there is nothing to watch.
func (c *container) watchMemory() (stop func()) {
	if c.mode == cgroups.Unified {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c.group.WaitOOM(ctx) == nil {
			_ = c.kill() // an error means that it has ended by itself
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
