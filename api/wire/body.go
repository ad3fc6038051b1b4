package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// frame is what gRPC sends besides a message, and some room, in bytes.
const frame = 1 << 10

// boundBody bounds the size of a request's body, and the time until its end or,
// of one that is streamed, until something of it comes.
func (s *Server) boundBody(a *answer, r *http.Request) *http.Request {
	if r.Body == http.NoBody || r.ContentLength == 0 {
		return r
	}
	if slices.Contains(s.config.Streamed, r.URL.Path) {
		// net/http knows its own body by its type: one that the client holds back
		// until it is asked for it must not be waited for after a refusal.
		r = r.WithContext(r.Context())
		r.Body = &stream{r.Body, a.rc, s}
		return r
	}
	_ = a.rc.SetReadDeadline(time.Now().Add(s.times.body)) // net/http has no writer that cannot
	n := int64(maxBody)
	if isGRPC(r) {
		n += frame // so that gRPC itself says which message is too large
	}
	r.Body = &body{http.MaxBytesReader(a.ResponseWriter, r.Body, n), a.rc}
	return r
}

// body is a request's body under a deadline, which it lifts at the end: the
// deadline is the connection's, and reading on tells whether the client is still
// there. After an error it stays, for net/http reads what is left of a body.
type body struct {
	io.ReadCloser
	rc *http.ResponseController
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// stream is a body of which each read has a deadline. Reads fail once the server
// is closing.
type stream struct {
	io.ReadCloser
	rc     *http.ResponseController
	server *Server
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	_ = s.rc.SetReadDeadline(time.Now().Add(s.server.times.body))
	// Either this sees that the server is closing, or what then takes the time
	// away comes after the deadline was set.
	defer context.AfterFunc(s.server.closing, func() { _ = s.rc.SetReadDeadline(time.Unix(1, 0)) })()
	n, err := s.ReadCloser.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		_ = s.rc.SetReadDeadline(time.Time{})
	case s.server.closing.Err() != nil:
		err = errStopping()
	}
	return n, err
}
