package wire

import "errors"

var (
	// ErrOpen is a listener that others than this machine reach, without a
	// token to keep them out.
	ErrOpen = errors.New("reachable from outside, and no token is asked for")
	// ErrStuck is a call that goes on though it was told to end.
	ErrStuck = errors.New("a call does not end")
	// ErrInUse is a unix socket that somebody answers.
	ErrInUse = errors.New("in use")
	// ErrToken is a token file that holds no usable token, or that everybody
	// may read.
	ErrToken = errors.New("unusable token file")
)
