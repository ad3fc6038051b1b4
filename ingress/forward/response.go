package forward

import (
	"fmt"
	"net/http"
	"strconv"

	"runnel/ingress/http1"
)

const (
	// maxHTTP1 is the largest answer that goes out over HTTP/1 with its length.
	// Source: Cloud Run, "Quotas and limits", maximum HTTP/1 response size.
	maxHTTP1 = 32 << 20
	// maxInformational is how many heads may come before the answer's own.
	maxInformational = 16
)

// response is what has been read of an answer.
type response struct {
	status, minor int
	fields        []http1.Field
	framing       http1.Framing
	names         named
	body          http1.Body
	// passed is how much of the body has gone on; large a buffer for a long one,
	// nil while none is needed.
	passed int64
	large  []byte
	// unflushed says that something has been written to the client and may not
	// have been sent; patience is how many reads may go by without sending it.
	unflushed bool
	patience  int
}

// forget drops what refers to an answer.
func (p *response) forget() {
	clear(p.fields)
	*p = response{fields: p.fields[:0]}
}

// parse reads a head.
// Source: RFC 9112, 4.
func (p *response) parse(head string) (err error) {
	line, rest, ok := http1.Line(head, true)
	if !ok || len(line) < len("HTTP/1.1 200") || line[:7] != "HTTP/1." || line[8] != ' ' {
		return http1.ErrSyntax
	}
	p.minor = int(line[7] - '0')
	p.status, err = strconv.Atoi(line[9:12])
	if err != nil || p.minor > 1 || p.status < 100 || line[9] == '+' || !http1.IsValue(line) || len(line) > 12 && line[12] != ' ' {
		return http1.ErrSyntax
	}
	if p.fields, err = http1.Fields(p.fields[:0], rest, true); err != nil {
		return err
	}
	if p.framing, err = http1.Frame(p.fields, p.minor); err != nil {
		return err
	}
	p.names = nil
	if p.framing.Named {
		for i := range p.fields {
			if p.fields[i].Kind == http1.Connection {
				p.names.add(p.fields[i].Value)
			}
		}
	}
	return nil
}

// persists reports whether the connection is good for another request when the
// answer has been read.
func (p *response) persists() bool {
	return !p.framing.Close && (p.minor == 1 || p.framing.KeepAlive)
}

// hasBody reports whether a body may follow the head.
func (p *response) hasBody(method string) bool {
	return method != http.MethodHead && p.status >= 200 && p.status != http.StatusNoContent && p.status != http.StatusNotModified
}

// answer reads the answer and passes it on. reuse says that the connection has
// nothing left of it.
func (x *exchange) answer(upgrade string) (reuse bool, err error) {
	for n := 0; ; n++ {
		head, err := x.in.Head()
		if err != nil {
			return false, x.broken(err, n == 0 && len(x.in.Buffered()) == 0)
		}
		x.res.ResponseBytes += int64(len(head))
		if err := x.parse(string(head)); err != nil {
			return false, fmt.Errorf("%w: %v", ErrMalformed, err)
		}
		switch {
		case x.status == http.StatusSwitchingProtocols:
			return false, x.tunnel(upgrade)
		case x.status >= 200:
			return x.pass()
		case n == maxInformational:
			return false, fmt.Errorf("%w: too many interim responses", ErrMalformed)
		case x.status == http.StatusContinue:
			x.upload.ask()
		default:
			x.inform()
		}
	}
}

// inform passes on a head that is not yet the answer's.
func (x *exchange) inform() {
	if !x.r.ProtoAtLeast(1, 1) {
		return
	}
	h := x.w.Header()
	own := h.Clone()
	clear(h)
	x.copyFields(h)
	x.w.WriteHeader(x.status)
	clear(h)
	for name, values := range own {
		h[name] = values
	}
}

// pass passes the answer on.
func (x *exchange) pass() (reuse bool, err error) {
	hasBody := x.hasBody(x.r.Method)
	if hasBody && x.framing.Length > maxHTTP1 && x.r.ProtoMajor == 1 {
		return false, fmt.Errorf("%w: %d bytes", ErrTooLarge, x.framing.Length)
	}
	if !x.guard.answer() {
		return false, errStopped
	}
	if x.upload != nil {
		x.closeClient()
	}
	x.writeHead(hasBody)
	if hasBody {
		if err := x.passBody(); err != nil {
			return false, err
		}
	}
	return x.persists() && x.body.Ended() && (!hasBody || x.framing.Chunked || x.framing.Length >= 0), nil
}

// writeHead writes the head of the answer.
func (x *exchange) writeHead(hasBody bool) {
	h := x.w.Header()
	x.copyFields(h)
	if x.framing.Length >= 0 && x.status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.FormatInt(x.framing.Length, 10)}
	}
	if hasBody {
		finishHeader(h)
	}
	x.w.WriteHeader(x.status)
	x.res.Status, x.res.Answered = x.status, true
	x.unflushed = true
}

// copyFields adds the fields that are for the client to h.
func (x *exchange) copyFields(h http.Header) {
	values := make([]string, len(x.fields))
	for i := range x.fields {
		f := &x.fields[i]
		if f.Kind == http1.Trailer && x.framing.Chunked {
			declare(h, f.Value)
		}
		if f.Kind.IsHop() || x.names.has(f.Name) {
			continue
		}
		name := http1.Canonical(f.Name)
		if there := h[name]; len(there) > 0 {
			h[name] = append(there, f.Value)
			continue
		}
		values[i] = f.Value
		h[name] = values[i : i+1 : i+1]
	}
	private(h)
}

// private keeps answers with cookies out of shared caches.
// Source: Cloud Run container runtime contract, "Response headers".
func private(h http.Header) {
	if len(h["Set-Cookie"]) > 0 {
		h["Cache-Control"] = []string{"private"}
	}
}

// finishHeader keeps the server from guessing a type that the instance has not
// given.
func finishHeader(h http.Header) {
	if _, given := h["Content-Type"]; !given {
		h["Content-Type"] = nil
	}
}

// declare announces the trailers that will be passed on.
func declare(h http.Header, list string) {
	http1.Tokens(list, func(name string) bool {
		if mayTrail(name) {
			h.Add("Trailer", name)
		}
		return true
	})
}
