package runtime

import (
	"fmt"
	"slices"

	"runnel/contract"
	"runnel/runtime/shim"
)

// checkSpec says why there can be no such instance, whatever its images hold.
func checkSpec(s *Spec) error {
	if n := len(s.Containers); n < 1 || n > contract.MaxContainers {
		return fmt.Errorf("create instance %s: %d containers: want 1 to %d", s.ID, n, contract.MaxContainers)
	}
	for n := range s.Containers {
		c := &s.Containers[n]
		if len(argv(c)) == 0 {
			return shim.Unstartable(s.of(n) + "image names no entrypoint and no command, and none was given")
		}
		for _, m := range c.Mounts {
			if !slices.ContainsFunc(s.Volumes, func(v Volume) bool { return v.Name == m.Volume }) {
				return fmt.Errorf("create instance %s: %smounts volume %q, which is not there", s.ID, s.of(n), m.Volume)
			}
		}
	}
	return nil
}

// of begins a sentence about a container where there are several.
func (s *Spec) of(n int) string {
	if len(s.Containers) == 1 {
		return ""
	}
	return "container " + s.Containers[n].Name + ": "
}
