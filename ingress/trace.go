package ingress

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
)

// Headers that carry a trace.
// Source: W3C Trace Context; "Cloud Trace context propagation".
const (
	traceparent  = "Traceparent"
	cloudContext = "X-Cloud-Trace-Context"
)

// trace says of what a request is a part.
type trace struct {
	// id is 32 hex digits, span 16, neither all zeros.
	id, span string
	sampled  bool
}

// traceOf reads the trace of a request: that of traceparent, else that of
// X-Cloud-Trace-Context, else a new one, which is sampled.
func traceOf(h http.Header) trace {
	if v := h[traceparent]; len(v) == 1 {
		if t, ok := parseTraceparent(v[0]); ok {
			return t
		}
	}
	if v := h[cloudContext]; len(v) == 1 {
		if t, ok := parseCloudContext(v[0]); ok {
			return t
		}
	}
	var b [24]byte
	binary.BigEndian.PutUint64(b[0:], rand.Uint64()|1)
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	binary.BigEndian.PutUint64(b[16:], rand.Uint64()|1)
	var digits [48]byte
	hex.Encode(digits[:], b[:])
	s := string(digits[:])
	return trace{id: s[:32], span: s[32:], sampled: true}
}

// parseTraceparent reads VERSION-TRACE-SPAN-FLAGS. Later versions may append to it.
func parseTraceparent(s string) (t trace, ok bool) {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' || !isHex(s[:2]) || s[:2] == "ff" {
		return t, false
	}
	if len(s) > 55 && (s[:2] == "00" || s[55] != '-') {
		return t, false
	}
	t.id, t.span = s[3:35], s[36:52]
	flags, err := strconv.ParseUint(s[53:55], 16, 8)
	t.sampled = flags&1 == 1
	return t, err == nil && isID(t.id) && isID(t.span)
}

// parseCloudContext reads TRACE/SPAN;o=OPTIONS, with the span in decimal. Span
// and options may be left out; a new span takes the place of one that is.
func parseCloudContext(s string) (t trace, ok bool) {
	s, options, _ := strings.Cut(s, ";")
	id, span, _ := strings.Cut(s, "/")
	t.id = strings.ToLower(id)
	if len(t.id) != 32 || !isID(t.id) {
		return t, false
	}
	n, err := strconv.ParseUint(span, 10, 64)
	if err != nil || n == 0 {
		n = rand.Uint64() | 1
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	t.span = hex.EncodeToString(b[:])
	t.sampled = strings.HasPrefix(options, "o=1") || strings.HasPrefix(options, "o=3")
	return t, true
}

// appendParent writes t as a traceparent, appendCloud as an
// X-Cloud-Trace-Context.
func (t trace) appendParent(b []byte) []byte {
	b = append(b, "00-"...)
	b = append(b, t.id...)
	b = append(b, '-')
	b = append(b, t.span...)
	if t.sampled {
		return append(b, "-01"...)
	}
	return append(b, "-00"...)
}

func (t trace) appendCloud(b []byte) []byte {
	b = append(b, t.id...)
	b = append(b, '/')
	n, _ := strconv.ParseUint(t.span, 16, 64) // it is 16 hex digits
	b = strconv.AppendUint(b, n, 10)
	if t.sampled {
		return append(b, ";o=1"...)
	}
	return append(b, ";o=0"...)
}

// isID reports whether s is hex digits in lower case, not all zeros.
func isID(s string) bool { return isHex(s) && strings.Trim(s, "0") != "" }

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
