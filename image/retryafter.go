package image

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// patienceKey is the key by which a request's context has what its answer asks
// for, a *time.Duration.
type patienceKey struct{}

// hearing is the context of one request, and what takes note of its answer.
func hearing(ctx context.Context) (_ context.Context, note func(*http.Response)) {
	asked := new(time.Duration)
	return context.WithValue(ctx, patienceKey{}, asked), func(resp *http.Response) {
		*asked = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
}

// patienceFor is how long to wait before what failed with err is tried again, if
// whoever refused it has said: the registry, the server of its tokens, or where
// it has sent us.
func patienceFor(err error) time.Duration {
	refused, ok := errors.AsType[*transport.Error](err)
	if !ok || refused.Request == nil {
		return 0
	}
	if asked, ok := refused.Request.Context().Value(patienceKey{}).(*time.Duration); ok {
		return *asked
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
