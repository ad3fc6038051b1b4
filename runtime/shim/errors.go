package shim

import "errors"

var (
	// ErrUnstartable means that the container's own configuration keeps it
	// from starting, today and tomorrow: a missing or non-executable
	// entrypoint, an impossible user or working directory.
	ErrUnstartable = errors.New("container cannot start")
	// ErrNotFound means that the shim knows no such instance, or that it has no
	// such container.
	ErrNotFound = errors.New("no such instance")
	// ErrExists means that the shim has an instance, or a container, of that ID.
	ErrExists = errors.New("instance exists")
	// ErrStopped means that the container, or the whole instance, has ended
	// already.
	ErrStopped = errors.New("container has ended")
	// ErrGone means that the shim itself is no longer there.
	ErrGone = errors.New("shim is gone")
	// ErrBusy means that the shim still keeps instances.
	ErrBusy = errors.New("shim keeps instances")
	// ErrProtocol means that the shim speaks another version of the protocol.
	ErrProtocol = errors.New("shim is of another version")
	// ErrUnsendable means that a call is too large, or brings too many
	// descriptors, to be made.
	ErrUnsendable = errors.New("message cannot be sent")
)

// wireCodes names the errors that cross the socket and keep their identity.
// It is never changed after the package is loaded.
var wireCodes = map[string]error{
	"unstartable": ErrUnstartable,
	"not_found":   ErrNotFound,
	"exists":      ErrExists,
	"stopped":     ErrStopped,
	"busy":        ErrBusy,
}

// remoteError is an error of the shim's as the client sees it: the shim's text,
// and the sentinel that it stood for.
type remoteError struct {
	text string
	kind error
}

// Error is the shim's text.
func (e *remoteError) Error() string { return e.text }

// Unwrap is the sentinel, nil if there was none.
func (e *remoteError) Unwrap() error { return e.kind }

// encodeError splits err into the code and the text that travel.
func encodeError(err error) *wireError {
	for code, kind := range wireCodes {
		if errors.Is(err, kind) {
			return &wireError{Code: code, Text: err.Error()}
		}
	}
	return &wireError{Text: err.Error()}
}

// decode is the inverse of encodeError.
func (w *wireError) decode() error {
	return &remoteError{text: w.Text, kind: wireCodes[w.Code]}
}

// unstartable is an error that reads as its text alone and is ErrUnstartable.
type unstartable struct{ text string }

// Error is the text alone.
func (e *unstartable) Error() string { return e.text }

// Unwrap is ErrUnstartable.
func (e *unstartable) Unwrap() error { return ErrUnstartable }

// Unstartable makes an error with the given text for which
// errors.Is(err, ErrUnstartable) holds.
func Unstartable(text string) error { return &unstartable{text} }
