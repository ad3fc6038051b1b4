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
	// ErrKeeperGone means that the shim has gone away, and with it every
	// instance it kept.
	ErrKeeperGone = shim.ErrGone
	// ErrLocked means that another process uses the directory.
	ErrLocked = errors.New("directory is in use by another process")
)
