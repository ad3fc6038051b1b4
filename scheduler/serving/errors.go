package serving

import "cloud.google.com/go/run/apiv2/runpb"

// StartError says why an instance could not be started.
type StartError struct {
	// Reason is a condition's.
	Reason runpb.Condition_RevisionReason
	// Message is for people, as Cloud Run words it.
	Message string
}

// Error is the message.
func (e *StartError) Error() string { return e.Message }
