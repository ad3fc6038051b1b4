package http1

import (
	"strconv"
	"strings"
)

// Framing is what the fields of a message say about its end, and about that of
// its connection.
type Framing struct {
	// Length is what Content-Length says; -1 if nothing.
	Length int64
	// Chunked says that chunks follow.
	Chunked bool
	// Close, KeepAlive and Upgrade stand in Connection.
	Close, KeepAlive, Upgrade bool
	// Named says that Connection names something else.
	Named bool
}

// Frame reads what the fields of a message of HTTP/1.minor say about its end.
// It refuses whatever two readers could understand differently: both a length
// and chunks, lengths that differ, any coding but chunked.
// Source: RFC 9112, 6.
func Frame(fields []Field, minor int) (f Framing, err error) {
	f.Length = -1
	for i := range fields {
		switch value := fields[i].Value; fields[i].Kind {
		case ContentLength:
			n, ok := length(value)
			if !ok || f.Length >= 0 && f.Length != n {
				return f, ErrSyntax
			}
			f.Length = n
		case TransferEncoding:
			if f.Chunked || minor == 0 || !strings.EqualFold(value, "chunked") {
				return f, ErrSyntax
			}
			f.Chunked = true
		case Connection:
			f.connection(value)
		}
	}
	if f.Chunked && f.Length >= 0 {
		return f, ErrSyntax
	}
	return f, nil
}

func (f *Framing) connection(list string) {
	Tokens(list, func(token string) bool {
		switch {
		case strings.EqualFold(token, "close"):
			f.Close = true
		case strings.EqualFold(token, "keep-alive"):
			f.KeepAlive = true
		case strings.EqualFold(token, "upgrade"):
			f.Upgrade = true
		default:
			f.Named = true
		}
		return true
	})
}

// length reads decimal digits, without a sign.
func length(s string) (int64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
