package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// stallTimeout is how long a body may stand still while it is read.
	stallTimeout = time.Minute
	// maxTalkBytes bounds the bodies that hold no content: of refusals, and of
	// the answer to the first request, which is read only to use the connection
	// again.
	maxTalkBytes = 64 << 10
)

var (
	// errBroken marks the end of a body that is not its own end. It is the
	// connection's fault whatever the protocol calls it, so it may pass.
	errBroken = errors.New("the connection broke")
	// errStalled is a body that stood still for stallTimeout.
	errStalled = fmt.Errorf("no data arrived for %v", stallTimeout)
)

// watchedBody is a response's body of which no read waits for longer than
// stallTimeout. Time between reads does not count: that is ours.
type watchedBody struct {
	body     io.ReadCloser
	content  io.Reader // body, or as much of it as is wanted
	watchdog *time.Timer
	cause    func() error // why the request was cancelled, nil if it was not
	cancel   context.CancelCauseFunc
}

// watchBody takes over the body of a response to req, whose context cancel
// cancels.
func watchBody(req *http.Request, resp *http.Response, cancel context.CancelCauseFunc) *watchedBody {
	b := &watchedBody{body: resp.Body, content: resp.Body, cancel: cancel}
	isContent := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent
	if !isContent || isPing(req) {
		b.content = io.LimitReader(resp.Body, maxTalkBytes)
	}
	b.cause = func() error { return context.Cause(req.Context()) }
	b.watchdog = time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	b.watchdog.Stop()
	return b
}

// isPing tells whether a request is the first one made of a registry, or one
// that it was redirected to.
func isPing(req *http.Request) bool {
	for req.Response != nil {
		req = req.Response.Request
	}
	return req.URL.Path == "/v2/"
}

// Read fails with errBroken, and errStalled if that is why.
func (b *watchedBody) Read(p []byte) (int, error) {
	b.watchdog.Reset(stallTimeout)
	n, err := b.content.Read(p)
	b.watchdog.Stop()
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if cause := b.cause(); cause != nil {
		err = cause
	}
	return n, fmt.Errorf("%w: %w", errBroken, err)
}

// Close ends the request.
func (b *watchedBody) Close() error {
	b.watchdog.Stop()
	err := b.body.Close()
	b.cancel(context.Canceled)
	return err
}
