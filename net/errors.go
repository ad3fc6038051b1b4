package net

import "errors"

var (
	// ErrFull says that the bridge has no port, or the subnet no address, left
	// for another instance. It goes away when an Attachment is closed.
	ErrFull = errors.New("no room for another instance")
	// ErrNotSetUp says that the network is not there: neither Setup nor Resume
	// has succeeded, or Close or Leave has been called.
	ErrNotSetUp = errors.New("network is not set up")
	// ErrNotAttached says that a namespace is not one that an earlier process
	// of the network's Name has left attached and nobody has reattached.
	ErrNotAttached = errors.New("namespace is not attached to the network")
	// ErrNoSubnet says that everything the host could lend overlaps something
	// it already routes.
	ErrNoSubnet = errors.New("no free /16 within 100.64.0.0/10")
)
