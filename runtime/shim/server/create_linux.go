package server

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	// Without this import device rules cannot be applied, and libcontainer
	// refuses to start anything.
	_ "github.com/opencontainers/cgroups/devices"
	"github.com/opencontainers/runc/libcontainer"
	// libcontainer's bootstrap in C, which runs before Go does in the
	// re-executed binary.
	_ "github.com/opencontainers/runc/libcontainer/nsenter"

	"runnel/internal/undo"
	"runnel/runtime/shim"
)

// creation is the making of one container, step by step.
type creation struct {
	*Server
	request *shim.ContainerRequest
	made    *container
	root    *root
	// filter names the system-call filter.
	filter string
	// volumes are those of the instance.
	volumes *volumes
	// netns is the container's network namespace, nil for one of its own.
	netns *os.File
	// file is the entrypoint's path in the root.
	file string
	done undo.Stack
}

// newCreation begins the making of the nth container of an instance.
func (s *Server) newCreation(i *instance, r *shim.CreateRequest, n int) *creation {
	request := &r.Containers[n]
	return &creation{Server: s, request: request, filter: r.Filter, made: &container{
		id:       request.ID,
		instance: r.ID,
		place:    n,
		dir:      filepath.Join(s.scratch, request.ID),
		whole:    i.above,
		mode:     s.host.Mode,
		ended:    make(chan struct{}),
	}}
}

// run makes the container up to the exec of its entrypoint. What takes it back is
// in done afterwards, also on failure.
func (c *creation) run() error {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"find cgroup", c.findGroup},
		{"make directory", c.makeDir},
		{"mount root", c.mountRoot},
		{"furnish root", c.furnish},
		{"check entrypoint", c.check},
		{"place volumes", c.placeVolumes},
		{"open output", c.openOutput},
		{"translate", c.translate},
		{"start init", c.startInit},
		{"join cgroup", c.joinGroup},
		{"open pidfd", c.openPidfd},
		{"detach root", c.detachRoot},
	} {
		if err := c.step(step.name, step.do); err != nil {
			return err
		}
	}
	return nil
}

func (c *creation) findGroup() (err error) {
	c.made.group, err = c.host.Group(c.request.Spec.Linux.CgroupsPath)
	if c.made.whole == nil {
		c.made.whole = c.made.group
	}
	return err
}

func (c *creation) makeDir() error {
	if err := os.Mkdir(c.made.dir, 0o700); err != nil {
		return err
	}
	c.done.Push(func() error { return os.RemoveAll(c.made.dir) })
	return nil
}

func (c *creation) mountRoot() (err error) {
	// The first has the kernel load what overlays are made of; a second one at the
	// same time may be told that there is no such thing.
	if !c.overlays.Load() {
		c.firstOverlay.Lock()
		defer c.firstOverlay.Unlock()
	}
	c.root, err = mountRoot(c.made.dir, c.request.Layers, memoryLimit(c.request.Spec))
	if err == nil {
		c.overlays.Store(true)
		c.done.Push(c.root.detach)
	}
	return err
}

func (c *creation) furnish() error {
	if err := c.root.furnish(c.request.Files); err != nil {
		return fmt.Errorf("furnish root: %w", err)
	}
	return nil
}

// check completes the specification and sees that it can start.
func (c *creation) check() error {
	user, err := resolveUser(c.root, c.request.User)
	if err != nil {
		return err
	}
	complete(c.request.Spec, c.root, c.netns, user)
	c.file, err = checkEntrypoint(c.root, c.request.Spec.Process)
	return err
}

func (c *creation) openOutput() (err error) {
	c.made.out, err = newOutput(c.made.dir, c.request.LogPath, c.request.LogLimit)
	if err != nil {
		return err
	}
	c.done.Push(c.made.out.close)
	c.request.Spec.Mounts = append(c.request.Spec.Mounts, c.made.out.syslogMount())
	return nil
}

// translate prepares what libcontainer is to start.
func (c *creation) translate() (err error) {
	spec := c.request.Spec
	if c.made.main, err = libcontainerProcess(spec.Process); err != nil {
		return err
	}
	filter, err := c.filters.get(c.filter)
	if err != nil {
		return err
	}
	c.launcher.wrap(c.made.main, c.file, filter)
	c.made.out.attach(c.made.main)
	config, err := libcontainerConfig(c.made.id, spec)
	if err != nil {
		return err
	}
	if c.made.inner, err = libcontainer.Create(c.state, c.made.id, config); err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	c.done.Push(c.made.destroy)
	return nil
}

// startInit starts libcontainer's init, which sets the container up and then
// waits for Exec.
func (c *creation) startInit() error {
	err := c.made.inner.Start(c.made.main)
	c.made.out.started()
	if err != nil {
		return explain(err)
	}
	pid, err := c.made.main.Pid()
	if err != nil {
		return err
	}
	c.done.Push(func() error {
		_ = syscall.Kill(pid, syscall.SIGKILL) // our own unreaped child: the pid is still its
		_, _ = c.made.main.Wait()              // killed, as intended
		return nil
	})
	return nil
}

func (c *creation) joinGroup() error {
	pid, err := c.made.main.Pid()
	if err != nil {
		return err
	}
	return c.made.group.Join(pid)
}

func (c *creation) openPidfd() error {
	pid, err := c.made.main.Pid()
	if err != nil {
		return err
	}
	c.made.pidfd, err = openPidfd(pid)
	if err == nil {
		c.done.Push(c.made.pidfd.Close)
	}
	return err
}

// detachRoot leaves the container's own copy of the mounts as the only one.
func (c *creation) detachRoot() error {
	if err := c.root.detach(); err != nil {
		return fmt.Errorf("detach root: %w", err)
	}
	return nil
}
