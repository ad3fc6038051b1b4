package net

import "errors"

var (
	// ErrFull says that the bridge has no port, or the subnet no address, left
	// for another instance. It goes away when an Attachment is closed.
	ErrFull = errors.New("no room for another instance")
	// ErrNotSetUp says that the network is not there: Setup has not succeeded,
	// or Close has been called.
	ErrNotSetUp = errors.New("network is not set up")
	// ErrNoSubnet says that everything the host could lend overlaps something
	// it already routes.
	ErrNoSubnet = errors.New("no free /16 within 100.64.0.0/10")
)
