package forward

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
)

// Hop is the way to one instance. Safe for concurrent use.
type Hop struct {
	addr  netip.AddrPort
	conns conns
	// exchanges and buffers are what requests work with, to be used again.
	exchanges sync.Pool
	buffers   buffers
	// h2 is the way to an instance that speaks HTTP/2; nil for one that does
	// not.
	h2 *http.Transport
}

// Result is how a request has ended.
type Result struct {
	// Status is that of the instance's answer; 0 if there was none.
	Status int
	// RequestBytes and ResponseBytes are what went to the instance and came from
	// it, headers and bodies together.
	RequestBytes, ResponseBytes int64
	// Sent says that a byte of the request may have reached the instance.
	Sent bool
	// Answered says that the header of the answer has been written to the
	// client. With an Err, the answer is incomplete, and the caller must see to
	// it that the client can tell: panic(http.ErrAbortHandler) does.
	Answered bool
	// Err is nil, one of this package's errors, wrapped, or the cause of the end
	// of the request's context.
	Err error
}

// NewHop makes the way to the instance at addr, without connecting to it. With
// h2c it speaks HTTP/2 without TLS there, and HTTP/1.1 if not.
func NewHop(addr netip.AddrPort, h2c bool) *Hop {
	h := &Hop{addr: addr, conns: conns{addr: addr}}
	h.exchanges.New = func() any { return newExchange(h) }
	if h2c {
		h.h2 = newH2(&h.conns)
	}
	return h
}

// Close ends the connections that no request uses. Requests under way go on;
// their connections end with them.
func (h *Hop) Close() error {
	if h.h2 != nil {
		h.h2.CloseIdleConnections()
	}
	return h.conns.close()
}

// Answers reports whether the instance takes connections.
func (h *Hop) Answers(ctx context.Context) bool {
	c, err := h.conns.dial(ctx)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was said on it
	return true
}

// Serve forwards r, and writes the answer to w as it comes. When it returns, it
// reads r's body no more.
//
// If the answer is complete before the body of a request over HTTP/1 is, it
// reads on for half a second at most, so that the client sees the answer and not
// a broken connection. What is left then stands in the way of the next request:
// by the header of the answer, also of one that the caller is to give, it asks
// for the client's connection to be closed.
//
// An answer in chunks, or without a known length, is passed on piece by piece as
// it comes. The fields that are about one connection only are made anew on
// either side. Interim responses go on, but not those of an instance that speaks
// HTTP/2; such a one never sees an Upgrade either.
func (h *Hop) Serve(w http.ResponseWriter, r *http.Request) Result {
	if r.Context().Err() != nil {
		return Result{Err: context.Cause(r.Context())}
	}
	if h.h2 != nil {
		return h.serve2(w, r)
	}
	x := h.exchanges.Get().(*exchange)
	defer h.exchanges.Put(x)
	return x.serve(w, r)
}
