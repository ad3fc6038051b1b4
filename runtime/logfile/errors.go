package logfile

import "errors"

// ErrMalformed says that a line is not an entry of a log file: it was torn by
// a crash, or written by someone else.
var ErrMalformed = errors.New("not a log entry")
