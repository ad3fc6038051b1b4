package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	"runnel/cgroups"
	"runnel/runtime/shim"
)

// removeTime bounds how long the removal of an empty cgroup is tried.
const removeTime = 10 * time.Second

// container is one container of an instance, from create to delete.
//
//	create ──> created ──start──> running ──exit──> stopped ──delete──>
//	              └────────────────exit───────────────┘
type container struct {
	id string
	// instance is the instance's ID, place the container's place in it.
	instance string
	place    int
	dir      string
	inner    *libcontainer.Container
	main     *libcontainer.Process
	pidfd    *os.File
	group    *cgroups.Group
	// whole is the instance's group: the same, if it has no other container.
	whole *cgroups.Group
	mode  cgroups.Mode
	out   *output
	// ended is closed when exit is set.
	ended chan struct{}

	// mu guards what follows.
	mu      sync.Mutex
	started bool
	exit    *shim.Exit
}

// start lets the container run.
func (c *container) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exit != nil || endedPidfd(c.pidfd) {
		return shim.ErrStopped // Exec would wait for its answer for ever
	}
	if c.started {
		return fmt.Errorf("container %s has been started before", c.id)
	}
	if err := c.inner.Exec(); err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	c.started = true
	return nil
}

// signal sends sig to the main process.
func (c *container) signal(sig syscall.Signal) error {
	select {
	case <-c.ended:
		return shim.ErrStopped
	default:
	}
	err := signalPidfd(c.pidfd, sig)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, os.ErrClosed) {
		return shim.ErrStopped
	}
	return err
}

// signalStarted is signal, but to a container that waits for its start, which
// hears nothing.
func (c *container) signalStarted(sig syscall.Signal) error {
	c.mu.Lock()
	waits := !c.started && c.exit == nil
	c.mu.Unlock()
	if waits {
		return nil
	}
	return c.signal(sig)
}

// kill ends every process. The kernel kills all of a pid namespace with its
// first process, so that no fork escapes; and it gives them the CPU to end on,
// which a fork bomb has used up for minutes.
func (c *container) kill() error {
	_ = c.group.LiftQuota() // without it they end, too, only later
	err := c.signal(syscall.SIGKILL)
	if errors.Is(err, shim.ErrStopped) {
		return nil
	}
	return err
}

// wait blocks until the container has ended, reads how, and closes its output.
// The caller makes the exit known with finish.
func (c *container) wait() shim.Exit {
	stopWatch := c.watchMemory()
	awaitPidfd(c.pidfd)
	exit := shim.Exit{ID: c.instance, Container: c.place, At: time.Now()}
	if state, _ := c.main.Wait(); state != nil {
		status := state.Sys().(syscall.WaitStatus)
		if status.Signaled() {
			exit.Signal = status.Signal()
		} else {
			exit.Code = status.ExitStatus()
		}
	}
	stopWatch()
	if events, err := c.whole.Events(); err == nil {
		exit.OOMKilled = events.OOMKills > 0
	}
	if usage, err := c.whole.Usage(); err == nil {
		exit.MemoryPeak = usage.MemoryPeak
	}
	exit.LogDropped = c.out.finish()
	c.mu.Lock()
	exit.Started = c.started
	c.mu.Unlock()
	return exit
}

// finish marks the container as stopped, once its exit is durable.
func (c *container) finish(exit *shim.Exit) {
	c.mu.Lock()
	c.exit = exit
	c.mu.Unlock()
	close(c.ended)
}

// destroy gives back what the kernel holds for the container. It may be called
// again.
func (c *container) destroy() error {
	var errs []error
	if c.inner != nil {
		if err := c.inner.Destroy(); err != nil {
			errs = append(errs, fmt.Errorf("destroy container: %w", err))
		}
	}
	limit, cancel := context.WithTimeout(context.Background(), removeTime)
	defer cancel()
	errs = append(errs, c.group.Remove(limit))
	return errors.Join(errs...)
}

// release destroys a container that has ended and drops all else it held. It
// may be called again.
func (c *container) release() error {
	if err := c.destroy(); err != nil {
		return err
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return err
	}
	if err := c.pidfd.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// describe is the container's entry in a list.
func (c *container) describe() shim.Container {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := shim.Container{State: shim.Created, Exit: c.exit}
	switch {
	case c.exit != nil:
		out.State = shim.Stopped
		return out
	case c.started:
		out.State = shim.Running
	}
	out.PID, _ = c.main.Pid()
	return out
}
