package image

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// laterError is a refusal that says when to ask again.
type laterError struct {
	err   error
	after time.Duration
}

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// withPatience adds to a refusal what its Retry-After says, if it has one.
func withPatience(err error, header http.Header) error {
	after := retryAfter(header.Get("Retry-After"), time.Now())
	if after <= 0 {
		return err
	}
	return &laterError{err, after}
}

// patienceFor is how long to wait before what failed with err is tried again, if
// the registry has said.
func patienceFor(err error) time.Duration {
	if later, ok := errors.AsType[*laterError](err); ok {
		return later.after
	}
	return 0
}

// maxSeconds is more than anybody waits, and no overflow.
const maxSeconds = 365 * 24 * 60 * 60

// retryAfter reads a Retry-After: seconds, or a date. 0 if it is neither, or no
// time to come.
// Source: RFC 9110, 10.2.3.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), maxSeconds)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxSeconds*time.Second)
	}
	return 0
}
