package runtime

import (
	"errors"

	"runnel/runtime/shim"
)

var (
	// ErrUnstartable means that the instance's own configuration keeps it from
	// starting, however often it is tried: a missing or non-executable
	// entrypoint, an impossible user or working directory.
	ErrUnstartable = shim.ErrUnstartable
	// ErrExists means that there is an instance of that ID.
	ErrExists = shim.ErrExists
	// ErrKeeperGone means that the shim of an ephemeral launcher has gone away,
	// and with it every instance it kept: none can be created any more.
	ErrKeeperGone = shim.ErrGone
	// ErrLost means that the shim of a durable launcher has gone away, and the
	// instance with it. Another takes its place: new instances can be created.
	ErrLost = errors.New("instance is lost with the shim that kept it")
	// ErrClosed means that the launcher has been closed; its instances live on.
	ErrClosed = errors.New("launcher is closed")
	// ErrNotFound means that there is no such instance.
	ErrNotFound = shim.ErrNotFound
	// ErrProtocol means that a durable shim of another version of Runnel lives in
	// the directory.
	ErrProtocol = shim.ErrProtocol
	// ErrLocked means that another process uses the directory, or for an
	// ephemeral launcher that a durable shim lives in it.
	ErrLocked = errors.New("directory is in use by another process")
)
