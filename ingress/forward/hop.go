package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
)

// Hop is the way to one instance. Safe for concurrent use.
type Hop struct {
	addr      netip.AddrPort
	transport *http.Transport
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
	t := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1000, Protocols: new(http.Protocols)}
	t.Protocols.SetHTTP1(!h2c)
	t.Protocols.SetUnencryptedHTTP2(h2c)
	h := &Hop{addr: addr, transport: t}
	t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr.String())
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrUnreachable, err)
		}
		return c, nil
	}
	return h
}

// Close ends the connections that no request uses. Requests under way go on.
func (h *Hop) Close() error {
	h.transport.CloseIdleConnections()
	return nil
}

// Serve forwards r, and writes the answer to w.
func (h *Hop) Serve(w http.ResponseWriter, r *http.Request) (res Result) {
	out := r.Clone(r.Context())
	out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", h.addr.String()
	in, err := h.transport.RoundTrip(out)
	res.Sent = !errors.Is(err, ErrUnreachable)
	if err != nil {
		if r.Context().Err() != nil {
			err = context.Cause(r.Context())
		} else if res.Sent {
			err = fmt.Errorf("%w: %v", ErrMalformed, err)
		}
		res.Err = err
		return res
	}
	defer in.Body.Close()
	for name, values := range in.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(in.StatusCode)
	res.Status, res.Answered = in.StatusCode, true
	if res.ResponseBytes, err = io.Copy(w, in.Body); err != nil {
		res.Err = fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return res
}
