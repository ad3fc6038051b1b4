package forward

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"runnel/ingress/http1"
)

// protected are the fields that a client cannot have removed by naming them in
// Connection: they were put there, or checked, on this side.
var protected = []string{
	"authorization", "x-serverless-authorization", "cookie", "host", "forwarded", "x-cloud-trace-context", "traceparent", "tracestate",
}

// named is what the Connection of a message names beside its options, in lower
// case. It is nil where nothing is named.
type named map[string]bool

// add takes the names of one list.
func (n *named) add(list string) {
	http1.Tokens(list, func(token string) bool {
		name := strings.ToLower(token)
		if *n == nil {
			*n = named{}
		}
		(*n)[name] = !strings.HasPrefix(name, "x-forwarded-")
		return true
	})
	for _, name := range protected {
		delete(*n, name)
	}
}

// has reports whether the field called name is one of them.
func (n named) has(name string) bool { return n != nil && n[strings.ToLower(name)] }

// connectionNames lists what the Connection of a request names.
func connectionNames(h http.Header) (n named) {
	for _, list := range h["Connection"] {
		if !strings.EqualFold(list, "keep-alive") && !strings.EqualFold(list, "close") {
			n.add(list)
		}
	}
	return n
}

// hasBody reports whether bytes may follow the head of r.
func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
}

// target is the request target to be sent, and whether there is one that every
// server reads the same.
func target(r *http.Request) (string, bool) {
	t := r.RequestURI
	if !strings.HasPrefix(t, "/") && t != "*" {
		t = r.URL.RequestURI()
	}
	return t, http1.IsTarget(t) && (t[0] == '/' || t == "*")
}

// check refuses a request that cannot be written so that every server reads the
// same.
func check(r *http.Request) error {
	switch t, ok := target(r); {
	case !ok:
		return fmt.Errorf("%w: target %q", ErrBadRequest, t)
	case !http1.IsToken(r.Method) || r.Method == http.MethodConnect:
		return fmt.Errorf("%w: method %q", ErrBadRequest, r.Method)
	case !http1.IsHost(r.Host):
		return fmt.Errorf("%w: host %q", ErrBadRequest, r.Host)
	}
	for name, values := range r.Header {
		if !http1.IsToken(name) {
			return fmt.Errorf("%w: header %q", ErrBadRequest, name)
		}
		for _, value := range values {
			if !http1.IsValue(value) {
				return fmt.Errorf("%w: value of header %s", ErrBadRequest, name)
			}
		}
	}
	return nil
}

// appendHead appends the head of r, as the instance gets it. upgrade is the
// protocol to change to, if any; wait says that the body follows when the
// instance asks for it.
func appendHead(b []byte, r *http.Request, upgrade string, wait bool) []byte {
	b = append(append(b, r.Method...), ' ')
	t, _ := target(r)
	b = append(append(b, t...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, r.Host...), "\r\n"...)
	names := connectionNames(r.Header)
	for name, values := range r.Header {
		if http1.KindOf(name).IsHop() || names.has(name) {
			continue
		}
		for _, value := range values {
			b = appendField(b, name, value)
		}
	}
	b = appendFraming(b, r)
	if keepsTrailers(r) {
		b = append(b, "Te: trailers\r\n"...)
	}
	if wait {
		b = append(b, "Expect: 100-continue\r\n"...)
	}
	if upgrade != "" {
		b = append(b, "Connection: Upgrade\r\n"...)
		b = appendField(b, "Upgrade", upgrade)
	}
	return append(b, "\r\n"...)
}

// appendFraming appends what says where the body ends.
func appendFraming(b []byte, r *http.Request) []byte {
	switch {
	case !hasBody(r):
		switch r.Method {
		case http.MethodPost, http.MethodPut, http.MethodPatch:
			b = append(b, "Content-Length: 0\r\n"...)
		}
	case r.ContentLength > 0:
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, r.ContentLength, 10), "\r\n"...)
	default:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		for name := range r.Trailer {
			if mayTrail(name) {
				b = appendField(b, "Trailer", name)
			}
		}
	}
	return b
}

func appendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}

// keepsTrailers reports whether the client takes trailers.
func keepsTrailers(r *http.Request) bool {
	for _, list := range r.Header["Te"] {
		if http1.HasToken(list, "trailers") {
			return true
		}
	}
	return false
}

// mayTrail reports whether a field may stand after a body: not one that says
// where the body ends, or to whom it goes.
// Source: RFC 9110, 6.5.1.
func mayTrail(name string) bool {
	kind := http1.KindOf(name)
	return http1.IsToken(name) && (kind == http1.Other || kind == http1.CacheControl) && !strings.EqualFold(name, "Authorization")
}

// upgradeOf is the protocol that r asks to change to, or "". Changing to another
// version of HTTP on the way would lead past those who look at requests.
func upgradeOf(r *http.Request) string {
	ask := r.Header["Upgrade"]
	if len(ask) != 1 || r.ProtoMajor != 1 || r.ProtoMinor == 0 || hasBody(r) {
		return ""
	}
	for _, list := range r.Header["Connection"] {
		if http1.HasToken(list, "upgrade") && http1.IsToken(ask[0]) && !strings.EqualFold(ask[0], "h2c") {
			return ask[0]
		}
	}
	return ""
}
