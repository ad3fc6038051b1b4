package wire

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// frame is what gRPC sends besides a message, and some room, in bytes.
const frame = 1 << 10

// boundBody bounds the size of a request's body, and the time until its end.
func boundBody(a *answer, r *http.Request, atMost time.Duration) {
	if r.Body == http.NoBody || r.ContentLength == 0 {
		return
	}
	_ = a.rc.SetReadDeadline(time.Now().Add(atMost)) // net/http has no writer that cannot
	n := int64(maxBody)
	if isGRPC(r) {
		n += frame // so that gRPC itself says which message is too large
	}
	r.Body = &body{http.MaxBytesReader(a.ResponseWriter, r.Body, n), a.rc}
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
