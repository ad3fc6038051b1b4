package serving

import (
	"fmt"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
)

// order finds out which containers wait for which.
func (p *plan) order(rev *runpb.Revision) error {
	place := make(map[string]int)
	for n, c := range rev.GetContainers() {
		place[c.GetName()] = n
	}
	for n, c := range rev.GetContainers() {
		for _, name := range c.GetDependsOn() {
			dependency, ok := place[name]
			if !ok {
				return fmt.Errorf("container %s depends on %q: there is no such container", c.GetName(), name)
			}
			p.containers[n].after = append(p.containers[n].after, dependency)
		}
	}
	seen := make([]int, len(p.containers))
	for n := range p.containers {
		if p.circular(n, seen) {
			return fmt.Errorf("container %s depends on itself by way of others", p.containers[n].name)
		}
	}
	return nil
}

// circular reports whether container n waits for itself. seen is 1 for those that
// are being looked at, 2 for those that have been.
func (p *plan) circular(n int, seen []int) bool {
	if seen[n] != 0 {
		return seen[n] == 1
	}
	seen[n] = 1
	defer func() { seen[n] = 2 }()
	return slices.ContainsFunc(p.containers[n].after, func(m int) bool { return p.circular(m, seen) })
}
