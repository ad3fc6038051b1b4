package server

import (
	"errors"
	"fmt"
	"path"

	"runnel/runtime/shim"
)

// check says what keeps a request from being carried out, whatever the host and
// the image are like.
func check(r *shim.CreateRequest) error {
	if err := shim.CheckID(r.ID); err != nil {
		return err
	}
	if len(r.Containers) == 0 {
		return errors.New("instance has no container")
	}
	for n, v := range r.Volumes {
		if v.Size <= 0 { // which would be no limit at all
			return fmt.Errorf("volume %d has a size of %d bytes", n, v.Size)
		}
	}
	seen := map[string]bool{}
	for n := range r.Containers {
		c := &r.Containers[n]
		if seen[c.ID] {
			return fmt.Errorf("two containers are called %s", c.ID)
		}
		seen[c.ID] = true
		if err := checkContainer(c, len(r.Volumes)); err != nil {
			return err
		}
	}
	return nil
}

// checkContainer does the same for a container of an instance with so many
// volumes.
func checkContainer(c *shim.ContainerRequest, volumes int) error {
	if err := shim.CheckID(c.ID); err != nil {
		return err
	}
	if c.Spec == nil || c.Spec.Linux == nil || c.Spec.Linux.Seccomp != nil || c.Spec.Process == nil || len(c.Spec.Process.Args) == 0 {
		return errors.New("specification is missing, incomplete, or brings a filter of its own")
	}
	for _, m := range c.Mounts {
		if m.Volume < 0 || m.Volume >= volumes {
			return fmt.Errorf("container %s mounts volume %d of %d", c.ID, m.Volume, volumes)
		}
		if !path.IsAbs(m.Path) {
			return fmt.Errorf("container %s mounts a volume at %q, which is not absolute", c.ID, m.Path)
		}
	}
	return nil
}
