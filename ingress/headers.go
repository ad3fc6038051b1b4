package ingress

import (
	"net/http"
	"strings"
)

// Headers that say from where a request came.
// Source: "Cloud Run request headers"; RFC 7239.
const (
	forwardedFor   = "X-Forwarded-For"
	forwardedProto = "X-Forwarded-Proto"
	forwarded      = "Forwarded"
)

// mark puts into h what the platform tells of a request, and takes out what the
// client has named as meant for the platform alone. Of the trace it leaves what
// is right as it came.
func mark(h http.Header, remote, proto string, t trace) {
	if v := h["Connection"]; len(v) > 0 {
		unname(h, v)
	}
	var room [320]byte
	b := room[:0]
	if v := h[forwardedFor]; len(v) > 0 {
		b = append(append(b, strings.Join(v, ", ")...), ", "...)
	}
	b = append(b, remote...)
	i := len(b)
	if v := h[forwarded]; len(v) > 0 {
		b = append(append(b, strings.Join(v, ", ")...), ", "...)
	}
	b = appendForwarded(b, remote, proto)
	j := len(b)
	b = t.appendCloud(b)
	k := len(b)
	b = t.appendParent(b)
	// One string holds them all, and one array the values.
	s := string(b)
	values := [5]string{s[:i], s[i:j], s[j:k], s[k:], proto}
	h[forwardedFor] = values[0:1:1]
	h[forwarded] = values[1:2:2]
	h[cloudContext] = values[2:3:3]
	if !hasParent(h) {
		h[traceparent] = values[3:4:4]
	}
	h[forwardedProto] = values[4:5:5]
}

// hasParent reports whether h has a traceparent that can be read.
func hasParent(h http.Header) bool {
	v := h[traceparent]
	if len(v) != 1 {
		return false
	}
	_, ok := parseTraceparent(v[0])
	return ok
}

// appendForwarded writes an element of Forwarded.
func appendForwarded(b []byte, remote, proto string) []byte {
	b = append(b, `for="`...)
	if strings.IndexByte(remote, ':') >= 0 {
		b = append(append(append(b, '['), remote...), ']')
	} else {
		b = append(b, remote...)
	}
	b = append(b, `";proto=`...)
	return append(b, proto...)
}

// unname deletes the headers that Connection names, and has it name only what
// concerns the connection itself, so that it cannot take away what is added
// later.
// Source: RFC 9110, section 7.6.1.
func unname(h http.Header, connection []string) {
	if len(connection) == 1 && own(connection[0]) {
		return
	}
	var keep []string
	for token := range strings.SplitSeq(strings.Join(connection, ","), ",") {
		token = strings.Trim(token, " \t")
		if own(token) {
			keep = append(keep, token)
			continue
		}
		h.Del(token)
	}
	delete(h, "Connection")
	if len(keep) > 0 {
		h["Connection"] = []string{strings.Join(keep, ", ")}
	}
}

// own reports whether a token of Connection names no header that is the
// client's to take away.
func own(token string) bool {
	switch len(token) {
	case len("te"):
		return strings.EqualFold(token, "te")
	case len("close"):
		return strings.EqualFold(token, "close")
	case len("upgrade"):
		return strings.EqualFold(token, "upgrade")
	case len("keep-alive"):
		return strings.EqualFold(token, "keep-alive")
	}
	return false
}
