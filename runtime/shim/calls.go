package shim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// DefineFilter hands the shim a system-call filter, which it compiles and keeps,
// and returns the name by which containers ask for it. A profile is far larger
// than all the rest of a container's specification, and the same for all.
func (c *Client) DefineFilter(ctx context.Context, profile *specs.LinuxSeccomp) (name string, err error) {
	err = c.call(ctx, MethodFilter, profile, &name)
	return name, err
}

// Create creates an instance's containers, up to the exec of their entrypoints, in
// the network namespace netns; nil gives each an empty one of its own. On failure
// nothing is left of any. The shim keeps netns and hold, in this order, until the
// instance is deleted: Fetch returns them under its ID. Here they stay the
// caller's. Errors: ErrUnstartable, ErrExists, ErrUnsendable, ErrGone.
func (c *Client) Create(ctx context.Context, r *CreateRequest, netns *os.File, hold ...syscall.Conn) error {
	if netns == nil {
		return c.call(ctx, MethodCreate, r, nil)
	}
	return c.call(ctx, MethodCreate, r, nil, append([]syscall.Conn{netns}, hold...)...)
}

// Start lets a created container of an instance run, by its place. Errors:
// ErrNotFound, ErrStopped, ErrGone.
func (c *Client) Start(ctx context.Context, id string, container int) error {
	return c.call(ctx, MethodStart, StartRequest{ID: id, Container: container}, nil)
}

// Signal sends s to the main process of each container of an instance that runs.
// One that has not been started hears nothing. Errors: ErrNotFound, ErrStopped if
// all have ended, ErrGone.
func (c *Client) Signal(ctx context.Context, id string, s syscall.Signal) error {
	return c.call(ctx, MethodSignal, SignalRequest{ID: id, Signal: s}, nil)
}

// Kill ends every process of the instance. Errors: as Signal.
func (c *Client) Kill(ctx context.Context, id string) error {
	return c.call(ctx, MethodSignal, SignalRequest{ID: id, Signal: syscall.SIGKILL, All: true}, nil)
}

// Delete ends the instance if it still runs and releases all it held, its exits
// included. An instance that does not exist is no error.
func (c *Client) Delete(ctx context.Context, id string) error {
	return c.call(ctx, MethodDelete, id, nil)
}

// Ack tells the shim that the end of the instance id has been recorded.
func (c *Client) Ack(ctx context.Context, id string) error {
	return c.call(ctx, MethodAck, id, nil)
}

// List returns every instance the shim has, and the exits of those it no longer
// has that were never acknowledged.
func (c *Client) List(ctx context.Context) ([]Instance, error) {
	var out []Instance
	err := c.call(ctx, MethodList, nil, &out)
	return out, err
}

// Hold has the shim keep files under a name until Drop or the shim's end, in
// place of what it kept there. The name is none that an instance could have:
// it is not a label. The files stay the caller's. Errors: ErrUnsendable,
// ErrGone.
func (c *Client) Hold(ctx context.Context, name string, files ...syscall.Conn) error {
	return c.call(ctx, MethodHold, name, nil, files...)
}

// Fetch returns what the shim keeps under a name, or for the instance of that
// ID, as descriptors of the caller's own; none if it keeps nothing there.
func (c *Client) Fetch(ctx context.Context, name string) ([]*os.File, error) {
	a, err := c.ask(ctx, MethodFetch, name)
	if err != nil {
		return nil, err
	}
	if err := a.unpack(nil); err != nil {
		closeFiles(a.files)
		return nil, err
	}
	if slices.Contains(a.files, nil) {
		closeFiles(a.files)
		return nil, fmt.Errorf("fetch %s: no room for another descriptor", name)
	}
	return a.files, nil
}

// Drop has the shim close what it keeps under a name. Nothing there is no error.
func (c *Client) Drop(ctx context.Context, name string) error {
	return c.call(ctx, MethodDrop, name, nil)
}

// End has the shim end itself, if it keeps no instance: ErrBusy if it does. When
// it returns the shim takes no more calls; it may take a moment yet to be gone.
func (c *Client) End(ctx context.Context) error {
	if err := c.call(ctx, MethodEnd, nil, nil); !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}
