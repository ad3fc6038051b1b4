package serving

import (
	"errors"

	"cloud.google.com/go/run/apiv2/runpb"
)

var (
	// ErrUnknown means that a revision has not been added, or has been removed.
	ErrUnknown = errors.New("revision is not known")
	// ErrKnown means that a revision has been added already.
	ErrKnown = errors.New("revision is known already")
	// ErrDetached means that the fleet has let go of its instances, which go on
	// with another one.
	ErrDetached = errors.New("fleet has let go of its instances")
	// ErrNoRoom means that an instance was waited for in vain because others had
	// the host's memory.
	ErrNoRoom = errors.New("no room on this host")
)

// StartError says why an instance could not be started.
type StartError struct {
	// Reason is a condition's.
	Reason runpb.Condition_RevisionReason
	// Message is for people, as Cloud Run words it.
	Message string
}

// Error is the message.
func (e *StartError) Error() string { return e.Message }

// unhealthy is the error of a container that does not come up.
func unhealthy(message string) *StartError {
	return &StartError{Reason: runpb.Condition_HEALTH_CHECK_CONTAINER_ERROR, Message: message}
}
