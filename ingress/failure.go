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

// Why the server itself refuses a request, or gives it up.
var (
	errMalformed    = errors.New("malformed request")
	errFields       = errors.New("too many header fields")
	errBody         = errors.New("request body too large")
	errUnknown      = errors.New("unknown host")
	errInternal     = errors.New("internal service")
	errDisabled     = errors.New("service is disabled")
	errNotReady     = errors.New("no revision is ready")
	errForbidden    = errors.New("caller may not call")
	errUnauthorized = errors.New("credential cannot be verified")
	errTimeout      = errors.New("request timeout")
	errDisconnect   = errors.New("client went away")
	errShutdown     = errors.New("server is shutting down")
)
