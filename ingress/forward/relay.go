package forward

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"runnel/ingress/http1"
)

// spliceFrom is how much must be to come of a body for it to be handed from one
// connection to the other without being looked at.
const spliceFrom = 64 << 10

// passBody passes the body of the answer on, and its trailers.
func (x *exchange) passBody() error {
	switch {
	case x.framing.Chunked:
		x.body.Chunks(&x.in)
	case x.framing.Length >= 0:
		x.body.Length(&x.in, x.framing.Length)
		if x.framing.Length <= smallBuffer {
			x.patience = 1
		}
	default:
		x.body.Rest(&x.in)
	}
	x.conn.look.before = x.flush
	for {
		p, err := x.body.Next()
		if len(p) > 0 {
			x.passed += int64(len(p))
			x.res.ResponseBytes += int64(len(p))
			if _, err := x.w.Write(p); err != nil {
				return clientGone(err)
			}
			x.unflushed = true
		}
		if err == io.EOF {
			passTrailer(x.w.Header(), x.body.Trailer())
			return nil
		}
		if err != nil {
			// The client gets what there is.
			x.patience = 0
			x.flushWaiting()
			return x.broken(err, false)
		}
		if done, err := x.hurry(); done || err != nil {
			return err
		}
	}
}

// flushWaiting sends what has been written, because what comes next may take a
// while.
func (x *exchange) flushWaiting() {
	if x.patience > 0 {
		x.patience--
		return
	}
	if x.unflushed {
		x.unflushed = false
		_ = x.client.Flush() // The next write tells.
	}
}

// hurry sees to it that a long body costs little: when one of known length has
// its rest before it, the kernel carries it; others get a larger buffer.
func (x *exchange) hurry() (done bool, err error) {
	if left := x.body.Left(); left >= spliceFrom && len(x.in.Buffered()) == 0 {
		if to, ok := x.w.(io.ReaderFrom); ok {
			n, err := to.ReadFrom(&io.LimitedReader{R: x.conn.TCPConn, N: left})
			x.res.ResponseBytes += n
			x.body.Taken(n)
			if n < left {
				return false, x.spliceBroken(err)
			}
			return true, err
		}
	}
	if x.passed >= longBody && x.large == nil {
		x.large = x.hop.buffers.get(x.passed)
		x.in.Use(x.large)
	}
	return false, nil
}

// spliceBroken finds out which of two connections has ended.
func (x *exchange) spliceBroken(err error) error {
	if err == nil || !x.conn.look.quiet() {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return x.broken(err, false)
	}
	return clientGone(err)
}

// clientGone is the error of a write to the client.
func clientGone(err error) error {
	return fmt.Errorf("client is gone: %v: %w", err, context.Canceled)
}

// passTrailer passes on fields that have come after the body.
func passTrailer(h http.Header, trailer []http1.Field) {
	declared := h["Trailer"]
	for _, f := range trailer {
		if !mayTrail(f.Name) {
			continue
		}
		name := http1.Canonical(f.Name)
		if !slices.ContainsFunc(declared, func(d string) bool { return http1.Canonical(d) == name }) {
			name = http.TrailerPrefix + name
		}
		h[name] = append(h[name], f.Value)
	}
}
