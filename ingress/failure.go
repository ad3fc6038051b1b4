package ingress

import "errors"

// Why a request could not be answered by an instance, or was cut off. Whoever
// keeps the instances gives one of these to Pool.Remove and Pool.Reject; what a
// client sees of each, and what is logged, is in the table of answer.go.
var (
	// ErrNoInstance: no instance could be started.
	ErrNoInstance = errors.New("no available instance")
	// ErrSaturated: the request has waited for as long as one may.
	ErrSaturated = errors.New("no instance was free in time")
	// ErrMemory: the instance exceeded its memory while it had the request.
	ErrMemory = errors.New("instance exceeded its memory")
	// ErrUnhealthy: the instance failed its liveness probe.
	ErrUnhealthy = errors.New("instance failed its liveness probe")
	// ErrEnded: the instance ended while it had the request.
	ErrEnded = errors.New("instance ended")
)
