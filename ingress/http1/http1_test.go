package http1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"
)

// readers cut what they read in different ways.
var readers = map[string]func(io.Reader) io.Reader{
	"at once":     func(r io.Reader) io.Reader { return r },
	"in halves":   iotest.HalfReader,
	"by the byte": iotest.OneByteReader,
	"end early":   iotest.DataErrReader,
}

func TestBodiesAreTheSameHoweverTheyCome(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 100)
	for name, c := range map[string]struct{ message, body, trailer, rest string }{
		"one chunk":         {"5\r\nhello\r\n0\r\n\r\nrest", "hello", "", "rest"},
		"many chunks":       {"1\r\nh\r\n1;x\r\ne\r\n3 ; y=z\r\nllo\r\n0\r\n\r\n", "hello", "", ""},
		"long chunks":       {"640\r\n" + long + "\r\n640\r\n" + long + "\r\n0\r\n\r\nrest", long + long, "", "rest"},
		"trailers":          {"1\r\nx\r\n0\r\nA: b\r\nC:d \r\n\r\nrest", "x", "A=b C=d ", "rest"},
		"chunk like an end": {"7\r\n0\r\n\r\nab\r\n0\r\n\r\nrest", "0\r\n\r\nab", "", "rest"},
	} {
		for how, cut := range readers {
			for _, size := range []int{maxSizeLine, 300, 4096} {
				var r Reader
				r.Reset(cut(strings.NewReader(c.message)), make([]byte, size))
				var b Body
				b.Chunks(&r)
				var body []byte
				var err error
				for err == nil {
					var p []byte
					p, err = b.Next()
					body = append(body, p...)
				}
				trailer := ""
				for _, f := range b.Trailer() {
					trailer += f.Name + "=" + f.Value + " "
				}
				for r.Fill() == nil {
				}
				if err != io.EOF || !b.Ended() || string(body) != c.body || trailer != c.trailer || !strings.HasPrefix(c.rest, string(r.Buffered())) || how == "at once" && size > 300 && string(r.Buffered()) != c.rest {
					t.Errorf("%s, %s, buffer %d: %v, body %q, trailer %q, rest %q", name, how, size, err, body, trailer, r.Buffered())
				}
			}
		}
	}
}

func TestBodyOfKnownLength(t *testing.T) {
	t.Parallel()
	for how, cut := range readers {
		var r Reader
		r.Reset(cut(strings.NewReader("hello rest")), make([]byte, 64))
		var b Body
		b.Length(&r, 5)
		var body []byte
		for !b.Ended() {
			p, err := b.Next()
			if err != nil {
				t.Fatal(err)
			}
			body = append(body, p...)
		}
		if _, err := b.Next(); err != io.EOF || string(body) != "hello" {
			t.Errorf("%s: %q, %v", how, body, err)
		}
		r.Reset(cut(strings.NewReader("hel")), make([]byte, 64))
		b.Length(&r, 5)
		var err error
		for err == nil {
			_, err = b.Next()
		}
		if err != io.ErrUnexpectedEOF {
			t.Errorf("%s: a short body ends with %v", how, err)
		}
	}
}

func TestHeads(t *testing.T) {
	t.Parallel()
	exact := "A" + strings.Repeat("b", MaxHead-5) + "\r\n\r\n"
	for name, c := range map[string]struct {
		in, head string
		err      error
	}{
		"two heads":       {"A\r\n\r\nB\r\n\r\n", "A\r\n\r\n", nil},
		"LF alone":        {"A\n\nB", "A\n\n", nil},
		"mixed":           {"A\r\nB\n\r\nC", "A\r\nB\n\r\n", nil},
		"as long as may":  {exact, exact, nil},
		"longer":          {"A" + exact, "", ErrLong},
		"without an end":  {strings.Repeat("A", MaxHead+1), "", ErrLong},
		"nothing":         {"", "", io.EOF},
		"half":            {"A\r\n", "", io.ErrUnexpectedEOF},
		"almost an end":   {"A\r\n\r", "", io.ErrUnexpectedEOF},
		"return is there": {"A\r\r\n\r\n", "A\r\r\n\r\n", nil},
	} {
		for how, cut := range readers {
			for _, size := range []int{1, 16, 512} {
				var r Reader
				r.Reset(cut(strings.NewReader(c.in)), make([]byte, size))
				head, err := r.Head()
				if string(head) != c.head || !errors.Is(err, c.err) {
					t.Errorf("%s, %s, buffer %d: %.50q, %v", name, how, size, head, err)
				}
			}
		}
	}
}

func TestLinesOfStrictReadersEndWithBoth(t *testing.T) {
	t.Parallel()
	for in, loose := range map[string]bool{"A: b\r\n\r\n": false, "A: b\n\r\n": true, "A: b\r\n\n": true} {
		if _, err := Fields(nil, in, true); err != nil {
			t.Errorf("%q, loose: %v", in, err)
		}
		if _, err := Fields(nil, in, false); (err != nil) != loose {
			t.Errorf("%q, strict: %v", in, err)
		}
	}
}

func TestValuesAreTrimmedAndNamesKnown(t *testing.T) {
	t.Parallel()
	fields, err := Fields(nil, "hOST:\t a b \t\r\nEmpty:\r\nset-cookie: x\r\n\r\n", false)
	if err != nil || fmt.Sprint(fields) != fmt.Sprint([]Field{{"hOST", "a b", Host}, {"Empty", "", Other}, {"set-cookie", "x", SetCookie}}) {
		t.Errorf("%v, %v", fields, err)
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Host", "Expect", "HTTP2-Settings"} {
		if !KindOf(strings.ToLower(name)).IsHop() || !KindOf(strings.ToUpper(name)).IsHop() {
			t.Errorf("%s is forwarded", name)
		}
	}
	for _, name := range []string{"Set-Cookie", "Cache-Control", "Content-Type", "X-Forwarded-For", "Connections", "Tr", "Hosts"} {
		if KindOf(name).IsHop() {
			t.Errorf("%s is not forwarded", name)
		}
	}
}

func TestCanonicalNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"content-type", "Content-Type", "CONTENT-TYPE", "x-a-B", "-", "X--y", "eTag", "A1b", "sec-websocket-key"} {
		if got, want := Canonical(name), textproto.CanonicalMIMEHeaderKey(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFramingIsReadInOneWay(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"A: b":                                   "{-1 false false false false false}",
		"Content-Length: 0":                      "{0 false false false false false}",
		"Content-Length: 7\r\ncontent-length: 7": "{7 false false false false false}",
		"Transfer-Encoding: CHUNKED":             "{-1 true false false false false}",
		"Connection: close, x":                   "{-1 false true false false true}",
		"Connection: Keep-Alive\r\nConnection:, upgrade ,": "{-1 false false true true false}",
	} {
		fields, err := Fields(nil, head+"\r\n\r\n", false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Frame(fields, 1); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v, want %v", head, got, err, want)
		}
	}
}

func TestWhatABytesMayBePartOf(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		s := string([]byte{byte(c)})
		visible := c > ' ' && c < 0x7f
		if IsValue(s) != (visible || c == ' ' || c == '\t') || IsTarget(s) != visible || IsToken(s) && !visible || IsHost(s) && !visible {
			t.Errorf("%q is taken for something else", s)
		}
		if visible && IsToken(s) == bytes.ContainsAny([]byte(s), "\"(),/:;<=>?@[\\]{}") {
			t.Errorf("%q: token %v", s, IsToken(s))
		}
		if IsHost(s) && strings.ContainsAny(s, "/?#@\\<>\"{}^|") {
			t.Errorf("%q in a host", s)
		}
	}
}
