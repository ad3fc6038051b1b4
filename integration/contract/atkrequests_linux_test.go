package contract

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// seesRaw is what the service sees of the one request in text.
func (s site) seesRaw(text string) (seen requestSeen) {
	s.t.Helper()
	back := s.send(text)
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(back)), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%q is answered %q, %v", rig.Clip(text), rig.Clip(back), err)
	}
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		s.t.Error(err)
	}
	return seen
}

// contract: ATK-20
func TestATK20ForwardingHeadersAreThePlatforms(t *testing.T) {
	s := plain.open(t)
	const begin = "GET /request HTTP/1.1\r\nHost: HOST\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Proto: https\r\n" +
		"Forwarded: for=192.0.2.3;proto=https\r\nX-Cloud-Trace-Context: evil\r\nTraceparent: evil\r\nX-Mine: a\r\nX-Other: b\r\n"
	const all = "X-Forwarded-For, x-forwarded-proto, FORWARDED, X-Cloud-Trace-Context, Traceparent, Host, X-Mine"
	for name, c := range map[string]struct{ connection, before string }{
		"lengthened":                  {"close", ""},
		"named in Connection":         {"close, " + all, "none"},
		"named in a second one":       {"close\r\nConnection: " + all, "none"},
		"named in Proxy-Connection":   {"close\r\nProxy-Connection: " + all, ""},
		"named among what means none": {"close,,te, keep-alive , " + all, "none"},
	} {
		seen := s.seesRaw(begin + "Connection: " + c.connection + "\r\n\r\n")
		want := map[string]string{
			"X-Forwarded-For": "192.0.2.1, 192.0.2.2, 127.0.0.1", "X-Forwarded-Proto": "http",
			"Forwarded": `for=192.0.2.3;proto=https, for="127.0.0.1";proto=http`, "X-Mine": "a", "X-Other": "b",
		}
		if c.before != "" { // what Connection names of the client's own goes
			want["X-Forwarded-For"], want["Forwarded"], want["X-Mine"] = "127.0.0.1", `for="127.0.0.1";proto=http`, ""
		}
		for field, value := range want {
			if got := strings.Join(seen.Headers.Values(field), "|"); got != value {
				t.Errorf("%s: %s is %q, want %q", name, field, got, value)
			}
		}
		for _, field := range []string{"X-Cloud-Trace-Context", "Traceparent"} {
			if got := seen.Headers.Values(field); len(got) != 1 || got[0] == "evil" {
				t.Errorf("%s: %s is %q", name, field, got)
			}
		}
		if seen.Host != "plain.run.localhost" {
			t.Errorf("%s: the host is %q", name, seen.Host)
		}
	}
}

// framed is what a client sends in one go that servers have been known to read
// in two ways: after a POST /note/... with Host, and followed by a request of its
// own. It is refused unless body says with which body it passes.
type framed struct{ fields, passes string }

const refused = "refused"

var framings = []framed{
	{"Content-Length: 5\r\n\r\nhello", "hello"},
	{"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n", "hello"},
	{"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
	{"Transfer-Encoding: chunked\r\nContent-Length: 90\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
	{"Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello", "hello"},
	{"Content_Length: 0\r\nContent-Length: 5\r\n\r\nhello", "hello"},
	{"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello", refused},
	{"Content-Length: 5, 0\r\n\r\nhello", refused},
	{"Content-Length: +5\r\n\r\nhello", refused},
	{"Content-Length: 0x5\r\n\r\nhello", refused},
	{"Content-Length: 18446744073709551621\r\n\r\nhello", refused},
	{"Content-Length: \r\n\r\nhello", refused},
	{"Content-Length : 5\r\n\r\nhello", refused},
	{"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", refused},
	{" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", refused},
	{"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n0\r\n\r\n", refused},
	{"Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n", refused},
	{"Host: HOST\r\nContent-Length: 5\r\n\r\nhello", refused},
	{"Host: evil\r\nContent-Length: 5\r\n\r\nhello", refused},
}

// contract: ATK-21
func TestATK21FramingIsReadInOneWayOrRefused(t *testing.T) {
	s := plain.open(t)
	for _, f := range framings {
		of := word() + "/"
		last := "GET /note/" + of + "last HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
		back := s.send("POST /note/" + of + "first HTTP/1.1\r\nHost: HOST\r\n" + f.fields + last)
		statuses := strings.Count(back, "HTTP/1.1 ")
		if f.passes == refused {
			if statuses != 1 || !strings.HasPrefix(back, "HTTP/1.1 400 ") && !strings.HasPrefix(back, "HTTP/1.1 501 ") {
				t.Errorf("%q: %q", f.fields, back)
			}
			if seen := s.noted(of); len(seen) != 0 {
				t.Errorf("%q is refused, and seen: %q", f.fields, seen)
			}
			continue
		}
		want := []string{fmt.Sprintf("POST /note/%sfirst plain.run.localhost %q", of, f.passes), "GET /note/" + of + `last plain.run.localhost ""`}
		if seen := s.noted(of); statuses != 2 || !slices.Equal(seen, want) {
			t.Errorf("%q: it sees %q, the client %q", f.fields, seen, back)
		}
	}
	// A request in a body is a body.
	of := word()
	hidden := "GET /note/" + of + "/hidden HTTP/1.1\r\nHost: evil\r\n\r\n"
	s.send(fmt.Sprintf("POST /note/%s HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", of, len(hidden), hidden))
	if seen, want := s.noted(of), fmt.Sprintf("POST /note/%s plain.run.localhost %q", of, hidden); !slices.Equal(seen, []string{want}) {
		t.Errorf("it sees %q", seen)
	}
}

// noted is what the service has seen of the requests of one, in order: method,
// target, host and body of each.
func (s site) noted(of string) (seen []string) {
	s.t.Helper()
	for line := range strings.Lines(s.get("/notes?of="+of).Is(s.Host, 200).Body) {
		head, _, _ := strings.Cut(line, " map[")
		seen = append(seen, head)
	}
	return seen
}
