package main

import "errors"

var (
	// errOutput is why an execution ends whose output nobody can read.
	errOutput = errors.New("the output cannot be written")
	// errUnread is why output is lost that nobody reads.
	errUnread = errors.New("the output is not read")
)
