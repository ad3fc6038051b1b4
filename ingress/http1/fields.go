package http1

import "strings"

// Field is one line of a header.
type Field struct {
	Name, Value string
	Kind        Kind
}

// Kind says what a field means to those who carry messages.
type Kind uint8

// The fields that mean something here. All but the last group speak of one
// connection only and are not forwarded as they are.
const (
	Other Kind = iota

	Connection
	ContentLength
	TransferEncoding
	Hop // without a meaning here
	TE
	Trailer
	Upgrade
	Expect
	Host

	SetCookie
	CacheControl
	ContentType
)

// IsHop reports whether a field of kind k is about one connection, or about how
// a message is framed on it.
func (k Kind) IsHop() bool { return k >= Connection && k <= Host }

// KindOf is the kind of a field by its name, in any case.
// Source: RFC 9110, 7.6.1.
func KindOf(name string) Kind {
	switch len(name) {
	case 2:
		return match(name, "TE", TE)
	case 4:
		return match(name, "Host", Host)
	case 6:
		return match(name, "Expect", Expect)
	case 7:
		return match(name, "Trailer", Trailer) | match(name, "Upgrade", Upgrade)
	case 10:
		return match(name, "Connection", Connection) | match(name, "Keep-Alive", Hop) | match(name, "Set-Cookie", SetCookie)
	case 12:
		return match(name, "Content-Type", ContentType)
	case 13:
		return match(name, "Cache-Control", CacheControl)
	case 14:
		return match(name, "Content-Length", ContentLength) | match(name, "HTTP2-Settings", Hop)
	case 16:
		return match(name, "Proxy-Connection", Hop)
	case 17:
		return match(name, "Transfer-Encoding", TransferEncoding)
	case 18:
		return match(name, "Proxy-Authenticate", Hop)
	case 19:
		return match(name, "Proxy-Authorization", Hop)
	}
	return Other
}

// match is kind if the two names are one.
func match(name, want string, kind Kind) Kind {
	if strings.EqualFold(name, want) {
		return kind
	}
	return Other
}

// Line splits s after its first line, which is returned without its end. Lines
// end with CRLF, or with LF alone if loose.
func Line(s string, loose bool) (line, rest string, ok bool) {
	i := strings.IndexByte(s, '\n')
	if i < 0 {
		return "", "", false
	}
	line, rest = s[:i], s[i+1:]
	if l, found := strings.CutSuffix(line, "\r"); found {
		return l, rest, true
	}
	return line, rest, loose
}

// Fields appends the fields of s, which ends with an empty line, to fields. A
// line that continues the one before is refused. Errors: ErrSyntax, ErrLong.
func Fields(fields []Field, s string, loose bool) ([]Field, error) {
	for {
		line, rest, ok := Line(s, loose)
		if !ok {
			return fields, ErrSyntax
		}
		if line == "" {
			return fields, nil
		}
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !found || !IsToken(name) || !IsValue(value) {
			return fields, ErrSyntax
		}
		if len(fields) == MaxFields {
			return fields, ErrLong
		}
		fields = append(fields, Field{Name: name, Value: value, Kind: KindOf(name)})
		s = rest
	}
}

// Tokens calls do for each element of a list such as that of Connection, until
// do returns false.
func Tokens(list string, do func(token string) bool) {
	for more := true; more; {
		var token string
		token, list, more = strings.Cut(list, ",")
		if token = strings.Trim(token, " \t"); token != "" && !do(token) {
			return
		}
	}
}

// HasToken reports whether a list has token, in any case.
func HasToken(list, token string) (has bool) {
	Tokens(list, func(t string) bool {
		has = strings.EqualFold(t, token)
		return !has
	})
	return has
}
