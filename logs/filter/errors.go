package filter

import "errors"

// ErrInvalid says that a text is not a filter, or asks for what there is not.
// The error that wraps it names the place.
var ErrInvalid = errors.New("invalid filter")
