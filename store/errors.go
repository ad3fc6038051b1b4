package store

import (
	"errors"
	"fmt"
)

// What Open, Update and View may return, besides what a caller's own function
// returns.
var (
	// ErrLocked is a file that another process has open.
	ErrLocked = errors.New("in use by another process")
	// ErrSchema is a file that another version of Runnel, or another program,
	// has written. It is left as it is.
	ErrSchema = errors.New("unknown schema")
	// ErrDamaged is a file that has no whole state left. It is left as it is.
	ErrDamaged = errors.New("damaged beyond repair")
	// ErrDisk is a change that the disk has refused.
	ErrDisk = errors.New("the disk refuses")
	// ErrClosed is any use after Close.
	ErrClosed = errors.New("store is closed")
)

// errForeign is a state that says nothing of a schema.
var errForeign = fmt.Errorf("%w: the file was not written by Runnel", ErrSchema)
