package metadata

import "errors"

// ErrKey says that a signing key exists but cannot be used: it is damaged, of
// another kind, or readable by others.
var ErrKey = errors.New("signing key is unusable")
