package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"runnel/ingress/http1"
)

// newH2 is the way to an instance that speaks HTTP/2 without TLS.
func newH2(p *conns) *http.Transport {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return p.dial(ctx)
		},
		DisableCompression:     true,
		MaxResponseHeaderBytes: http1.MaxHead,
		IdleConnTimeout:        idleTime,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}

// serve2 forwards r over HTTP/2. An Upgrade is not passed on, as if the instance
// knew no other protocol.
func (h *Hop) serve2(w http.ResponseWriter, r *http.Request) (res Result) {
	if err := check(r); err != nil {
		return Result{Err: err}
	}
	x := &stream{w: w, r: r, buffers: &h.buffers, client: http.NewResponseController(w)}
	x.guard = newGuard(r.Context(), x.client)
	err := x.run(h.h2, h.addr.String())
	x.guard.release()
	if err != nil && r.Context().Err() != nil {
		err = context.Cause(r.Context())
	}
	if x.upload != nil {
		if !x.upload.whole.Load() && r.ProtoMajor == 1 && !x.res.Answered {
			w.Header()["Connection"] = []string{"close"}
		}
		x.res.RequestBytes += x.upload.bytes.Load()
	}
	x.res.Err = err
	return x.res
}

// stream is one request over HTTP/2 and its answer.
type stream struct {
	w      http.ResponseWriter
	r      *http.Request
	client *http.ResponseController
	guard  *guard
	upload *upload // nil if there is no body
	res    Result

	buffers *buffers
}

func (x *stream) run(t *http.Transport, addr string) error {
	out := x.outgoing(addr)
	defer x.settle()
	in, err := t.RoundTrip(out)
	x.res.Sent = !errors.Is(err, ErrUnreachable)
	if err != nil {
		return x.broken(err)
	}
	defer in.Body.Close()
	return x.answer(in)
}

// settle ends the upload.
func (x *stream) settle() {
	if x.upload != nil {
		x.upload.stop()
	}
}

// outgoing is the request as the instance gets it.
func (x *stream) outgoing(addr string) *http.Request {
	r := x.r
	u := &url.URL{Scheme: "http", Host: addr, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery}
	out := &http.Request{Method: r.Method, URL: u, Host: r.Host, Header: make(http.Header, len(r.Header)+1)}
	names := connectionNames(r.Header)
	for name, values := range r.Header {
		if http1.KindOf(name).IsHop() || names.has(name) {
			continue
		}
		out.Header[name] = values
		x.res.RequestBytes += sizeOf(name, values)
	}
	if keepsTrailers(r) {
		out.Header["Te"] = []string{"trailers"}
	}
	if _, given := out.Header["User-Agent"]; !given {
		out.Header["User-Agent"] = nil // Else the transport names itself.
	}
	if hasBody(r) {
		x.upload = newUpload(r, x.client)
		out.Body, out.ContentLength, out.Trailer = struct {
			io.Reader
			io.Closer
		}{x.upload, closer(x.upload.stop)}, r.ContentLength, r.Trailer
	}
	return out.WithContext(r.Context())
}

// closer is a body's Close.
type closer func()

// Close has the body read no more.
func (c closer) Close() error {
	c()
	return nil
}

// answer passes the answer on.
func (x *stream) answer(in *http.Response) error {
	if err := x.admit(in); err != nil {
		return err
	}
	if !x.guard.answer() {
		return errStopped
	}
	h := x.w.Header()
	for name, values := range in.Header {
		if http1.KindOf(name).IsHop() {
			continue
		}
		h[name] = append(h[name], values...)
		x.res.ResponseBytes += sizeOf(name, values)
	}
	for name := range in.Trailer {
		if mayTrail(name) {
			h.Add("Trailer", name)
		}
	}
	chunked := x.r.ProtoMajor == 1 && len(in.Trailer) > 0 // There are no trailers else.
	if !chunked && in.ContentLength >= 0 && (in.ContentLength > 0 || in.Header["Content-Length"] != nil) {
		h["Content-Length"] = []string{strconv.FormatInt(in.ContentLength, 10)}
	}
	if x.upload != nil && x.r.ProtoMajor == 1 && !x.upload.whole.Load() {
		h["Connection"] = []string{"close"}
	}
	private(h)
	finishHeader(h)
	x.w.WriteHeader(in.StatusCode)
	x.res.Status, x.res.Answered = in.StatusCode, true
	return x.body(in)
}

// admit refuses an answer that may not go on as it is.
func (x *stream) admit(in *http.Response) error {
	for name, values := range in.Header {
		for _, value := range values {
			if !http1.IsToken(name) || !http1.IsValue(value) {
				return fmt.Errorf("%w: header %q", ErrMalformed, name)
			}
		}
	}
	if in.ContentLength > maxHTTP1 && x.r.ProtoMajor == 1 && x.r.Method != http.MethodHead {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, in.ContentLength)
	}
	return nil
}

// body passes the body on, each piece as it comes, and the trailers after it.
func (x *stream) body(in *http.Response) error {
	if in.ContentLength < 0 {
		_ = x.client.Flush() // The next write tells.
	}
	buf := x.buffers.get(in.ContentLength)
	defer func() { x.buffers.put(buf) }()
	for passed := int64(0); ; {
		buf = x.buffers.fit(buf, passed)
		n, err := in.Body.Read(buf)
		if passed += int64(n); n > 0 {
			x.res.ResponseBytes += int64(n)
			if _, err := x.w.Write(buf[:n]); err != nil {
				return clientGone(err)
			}
		}
		switch {
		case err == io.EOF:
			x.trail(in.Trailer)
			return nil
		case err != nil:
			return x.broken(err)
		case in.ContentLength < 0:
			_ = x.client.Flush() // The next write tells.
		}
	}
}

// trail passes the trailers on.
func (x *stream) trail(fields http.Header) {
	var trailer []http1.Field
	for name, values := range fields {
		for _, value := range values {
			if http1.IsValue(value) {
				trailer = append(trailer, http1.Field{Name: name, Value: value})
			}
		}
	}
	passTrailer(x.w.Header(), trailer)
}

// broken is the error of an exchange with the instance.
func (x *stream) broken(err error) error {
	if errors.Is(err, ErrUnreachable) {
		return err
	}
	if failure := x.upload.failure(); failure != nil {
		return failure
	}
	return fmt.Errorf("%w: %v", ErrMalformed, err)
}

// sizeOf is the size of a field as HTTP/1.1 would write it.
func sizeOf(name string, values []string) (n int64) {
	for _, value := range values {
		n += int64(len(name) + len(": \r\n") + len(value))
	}
	return n
}
