package client

import (
	"errors"
	"strings"
)

var (
	// ErrHost is a host that is none.
	ErrHost = errors.New("bad host")
	// ErrToken is a token file that holds none.
	ErrToken = errors.New("no token")
	// ErrCA is a file of certificates that holds none.
	ErrCA = errors.New("no certificates")
	// ErrUnreachable is a daemon that does not answer.
	ErrUnreachable = errors.New("cannot reach the daemon")
)

// Error is what a daemon has answered, or why it has not, in words for people.
// errors.Is finds ErrUnreachable, and status.Code (google.golang.org/grpc) the
// code of what the daemon has answered.
type Error struct {
	// Message is a sentence; empty if Fields say it all.
	Message string
	// Fields are what a request got wrong.
	Fields []Field
	cause  error
}

// Field is one field of a request that is wrong.
type Field struct{ Path, Message string }

// Error is the message, or a line for each field.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	lines := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		lines[i] = f.Message
		if f.Path != "" {
			lines[i] = f.Path + ": " + f.Message
		}
	}
	return strings.Join(lines, "\n")
}

// Unwrap is what the message was made from.
func (e *Error) Unwrap() error { return e.cause }

// NewError is cause in other words.
func NewError(message string, cause error) *Error { return &Error{Message: message, cause: cause} }
