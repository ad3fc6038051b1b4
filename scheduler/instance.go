package scheduler

import (
	"context"
	"time"

	rruntime "runnel/runtime"
)

// Instance is what the scheduler needs of one created instance. It calls
// Start, Stop and Delete one at a time and in this order, each at most a few
// times, with Wait running beside Stop.
type Instance interface {
	// Start lets the container's process begin. An error that wraps
	// rruntime.ErrUnstartable is the container's own fault, any other the
	// host's; with rruntime.ErrKeeperGone, which any of the methods may return,
	// no other attempt can succeed either.
	Start(ctx context.Context) error
	// Started reports whether Start has been called, in this process or, for an
	// instance that was adopted, in another one before.
	Started() bool
	// Wait returns when the instance has ended. When nobody can tell any more
	// how it does, that is an error or an exit that is Lost; when ctx ends, an
	// error.
	Wait(ctx context.Context) (rruntime.Exit, error)
	// Stop sends SIGTERM, after grace SIGKILL to every process, and returns
	// when the instance has ended; at once if it has already. A grace of 0
	// kills without asking. When ctx ends it kills and returns without waiting,
	// with an error, and may be called again.
	Stop(ctx context.Context, grace time.Duration) error
	// Delete gives back everything that the instance held, and kills first what
	// still runs of it. It is carried through even if ctx ends, and fails by
	// itself when the host takes too long. One that has failed may be called
	// again, one that has succeeded does nothing more. It may be called on an
	// instance that was never started.
	Delete(ctx context.Context) error
}

// Create does everything that precedes the start of an instance's process.
// When it returns an error it leaves nothing behind; one that wraps
// rruntime.ErrUnstartable or rruntime.ErrKeeperGone says that no attempt at any
// task can succeed. It is called from several goroutines at once. When ctx ends
// it gives up, as soon as that leaves nothing behind.
type Create func(ctx context.Context, spec rruntime.Spec) (Instance, error)

// Adopt takes over the instance of an attempt that another process has created,
// from the same spec. Where nobody knows it, the error wraps
// rruntime.ErrNotFound.
type Adopt func(ctx context.Context, spec rruntime.Spec) (Instance, error)
