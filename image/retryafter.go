package image

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// laterError is a refusal that says when to ask again.
type laterError struct {
	err   error
	after time.Duration
}

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// patienceKey is the key by which a context has the atomic.Int64, a duration, into
// which the network notes how long the last answer asks to wait.
type patienceKey struct{}

// heeding makes requests, and adds to a refusal what the Retry-After says of who
// refused: the registry, its token server, or the storage that it sends us to.
func heeding(ctx context.Context, ask func(ctx context.Context) error) error {
	var said atomic.Int64
	err := ask(context.WithValue(ctx, patienceKey{}, &said))
	if after := time.Duration(said.Load()); err != nil && after > 0 {
		return &laterError{err, after}
	}
	return err
}

// notePatience notes what an answer to a request made by heeding asks for.
func notePatience(ctx context.Context, resp *http.Response) {
	said, ok := ctx.Value(patienceKey{}).(*atomic.Int64)
	if !ok {
		return
	}
	var after time.Duration
	if mayPass(resp.StatusCode) {
		after = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	said.Store(int64(after))
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
