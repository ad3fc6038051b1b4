package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/opencontainers/cgroups/manager"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"

	"runnel/cgroups"
	"runnel/internal/undo"
	"runnel/runtime/shim"
)

// instance is the containers of one instance, which are created together and
// deleted together.
type instance struct {
	id         string
	containers []*container
	// above is the cgroup above those of the containers; nil if there is none.
	above *cgroups.Group

	// releasing serialises release and guards released.
	releasing sync.Mutex
	released  bool
}

// create makes an instance whose containers are one exec away from their
// entrypoints. On failure nothing is left of it. netns stays the caller's, and is
// needed no longer once create has returned.
func (s *Server) create(r *shim.CreateRequest, netns *os.File) (_ *instance, err error) {
	var done undo.Stack
	defer done.OnError(&err)
	i := &instance{id: r.ID}
	if r.Group != nil {
		if i.above, err = s.host.Group(r.Group.Path); err != nil {
			return nil, err
		}
		done.Push(i.removeAbove) // making it may fail half-way
		if err := s.step("make group", func() error { return makeGroup(r.Group) }); err != nil {
			return nil, err
		}
	}
	v := &volumes{dir: s.volumesDir(r.ID)}
	defer func() {
		if failed := v.detach(); failed != nil { // the containers have mounts of their own
			err = errors.Join(err, failed)
		}
	}()
	if err := s.step("mount volumes", func() error { return v.mount(r) }); err != nil {
		return nil, err
	}
	return i, s.createAll(i, r, v, netns, &done)
}

// createAll makes the containers of an instance, all at the same time.
func (s *Server) createAll(i *instance, r *shim.CreateRequest, v *volumes, netns *os.File, done *undo.Stack) error {
	errs := make([]error, len(r.Containers))
	var creating sync.WaitGroup
	for n := range r.Containers {
		c := s.newCreation(i, r, n)
		c.volumes, c.netns = v, netns
		done.Push(c.done.Run)
		i.containers = append(i.containers, c.made)
		creating.Go(func() { errs[n] = c.run() })
	}
	creating.Wait()
	for n, err := range errs {
		switch {
		case err == nil:
		case len(errs) == 1:
			return err
		default:
			return fmt.Errorf("container %s: %w", r.Containers[n].Name, err)
		}
	}
	return nil
}

// step does one step of a creation.
func (s *Server) step(name string, do func() error) error {
	if s.beforeStep != nil {
		if err := s.beforeStep(name); err != nil {
			return err
		}
	}
	return do()
}

// makeGroup makes a cgroup that will hold others.
func makeGroup(g *shim.Group) error {
	config, err := specconv.CreateCgroupConfig(&specconv.CreateOpts{Spec: &specs.Spec{
		Linux: &specs.Linux{CgroupsPath: g.Path, Resources: g.Resources},
	}}, nil)
	if err != nil {
		return fmt.Errorf("translate the limits of cgroup %s: %w", g.Path, err)
	}
	config.Resources.SkipDevices = true // those are for each container
	m, err := manager.New(config)
	if err == nil {
		err = m.Apply(-1) // no process
	}
	if err == nil {
		err = m.Set(config.Resources)
	}
	if err != nil {
		return fmt.Errorf("make cgroup %s: %w", g.Path, err)
	}
	return nil
}

// removeAbove removes the group above those of the containers, which are gone.
func (i *instance) removeAbove() error {
	if i.above == nil {
		return nil
	}
	limit, cancel := context.WithTimeout(context.Background(), removeTime)
	defer cancel()
	return i.above.Remove(limit)
}

// signal sends sig to the main process of each container that runs.
func (i *instance) signal(sig syscall.Signal) error {
	over := true
	var errs []error
	for _, c := range i.containers {
		err := c.signalStarted(sig)
		if errors.Is(err, shim.ErrStopped) {
			continue
		}
		over = false
		errs = append(errs, err)
	}
	if over {
		return shim.ErrStopped
	}
	return errors.Join(errs...)
}

// kill ends every process of every container.
func (i *instance) kill() error {
	var errs []error
	for _, c := range i.containers {
		if err := c.kill(); err != nil {
			errs = append(errs, fmt.Errorf("kill container %s: %w", c.id, err))
		}
	}
	return errors.Join(errs...)
}

// release gives back what an instance that has ended held. It may be called
// again, also at the same time.
func (i *instance) release() error {
	i.releasing.Lock()
	defer i.releasing.Unlock()
	if i.released {
		return nil
	}
	errs := make([]error, len(i.containers))
	var releasing sync.WaitGroup
	for n, c := range i.containers {
		releasing.Go(func() { errs[n] = c.release() })
	}
	releasing.Wait()
	err := errors.Join(errs...)
	if err == nil {
		err = i.removeAbove()
	}
	i.released = err == nil
	return err
}

// describe is the instance's entry in a list.
func (i *instance) describe() shim.Instance {
	out := shim.Instance{ID: i.id}
	for _, c := range i.containers {
		out.Containers = append(out.Containers, c.describe())
	}
	return out
}
