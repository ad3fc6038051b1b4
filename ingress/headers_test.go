package ingress

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"runnel/contract"
)

// contract: NET-12, ATK-20
func TestHeadersThatThePlatformAdds(t *testing.T) {
	t.Parallel()
	seen := make(chan *http.Request, 1)
	w := newWorld(t, Config{}, ListenerConfig{})
	w.Set(public(poolOf(app(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r }))))
	const (
		id     = "0af7651916cd43dd8448eb211c80319c"
		parent = "00-" + id + "-00000000000000ff-01"
	)
	for _, c := range []struct {
		name   string
		header []string
		want   map[string]string
	}{
		{"nothing was sent", nil, map[string]string{
			"X-Forwarded-For": `127\.0\.0\.1`, "X-Forwarded-Proto": "http", "Forwarded": `for="127\.0\.0\.1";proto=http`,
			"X-Cloud-Trace-Context": "[0-9a-f]{32}/[0-9]+;o=1", "Traceparent": "00-[0-9a-f]{32}-[0-9a-f]{16}-01",
		}},
		{"what was sent is appended to, or replaced",
			[]string{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "2.2.2.2", "Forwarded", "for=1.1.1.1", "X-Forwarded-Proto", "https"},
			map[string]string{
				"X-Forwarded-For": `1\.1\.1\.1, 2\.2\.2\.2, 127\.0\.0\.1`, "X-Forwarded-Proto": "http",
				"Forwarded": `for=1\.1\.1\.1, for="127\.0\.0\.1";proto=http`,
			}},
		{"a traceparent", []string{"Traceparent", parent}, map[string]string{"Traceparent": parent, "X-Cloud-Trace-Context": id + "/255;o=1"}},
		{"a traceparent that says more than we know", []string{"Traceparent", "01-" + id + "-00000000000000ff-02-more"},
			map[string]string{"Traceparent": "01-" + id + "-00000000000000ff-02-more", "X-Cloud-Trace-Context": id + "/255;o=0"}},
		{"a cloud context", []string{"X-Cloud-Trace-Context", id + "/255;o=0"},
			map[string]string{"Traceparent": "00-" + id + "-00000000000000ff-00", "X-Cloud-Trace-Context": id + "/255;o=0"}},
		{"both, at odds", []string{"Traceparent", parent, "X-Cloud-Trace-Context", strings.Repeat("a", 32) + "/1;o=0"},
			map[string]string{"Traceparent": parent, "X-Cloud-Trace-Context": id + "/255;o=1"}},
		{"neither can be read", []string{"Traceparent", "00-x", "X-Cloud-Trace-Context", "y"},
			map[string]string{"Traceparent": "00-[0-9a-f]{32}-[0-9a-f]{16}-01", "X-Cloud-Trace-Context": "[0-9a-f]{32}/[0-9]+;o=1"}},
		{"Connection names ours", []string{"Connection", "X-Forwarded-For, x-forwarded-proto, Other, Traceparent", "Other", "1", "X-Forwarded-For", "9.9.9.9"},
			map[string]string{"X-Forwarded-For": `127\.0\.0\.1`, "X-Forwarded-Proto": "http", "Other": ""}},
	} {
		if got := w.get(t, "/", c.header...); got.status != 200 {
			t.Fatalf("%s: %+v", c.name, got)
		}
		r := <-seen
		for name, want := range c.want {
			if have := strings.Join(r.Header.Values(name), "|"); !regexp.MustCompile("^" + want + "$").MatchString(have) {
				t.Errorf("%s: %s is %q, want %s", c.name, name, have, want)
			}
		}
		if r.Host != "hello.run.localhost" {
			t.Errorf("%s: host is %q", c.name, r.Host)
		}
	}
}

// contract: LOG-2, LOG-7
func TestEveryRequestIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	w.Set(public(poolOf(app(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "12345")
	}))))
	for i, c := range []struct {
		status   int
		severity string
	}{{200, "INFO"}, {302, "INFO"}, {404, "WARNING"}, {500, "ERROR"}} {
		w.get(t, fmt.Sprintf("/%d?q=1", c.status), "User-Agent", "me", "Referer", "there",
			"X-Cloud-Trace-Context", "0af7651916cd43dd8448eb211c80319c/1;o=1")
		e := w.last(t, i+1)
		if e.Status != c.status || e.Severity != c.severity || e.Text != "" || e.Revision != "hello-1" || e.Instance != "public-a" {
			t.Errorf("%d: recorded %+v", c.status, e)
		}
		if e.Method != "GET" || e.URL != fmt.Sprintf("http://hello.run.localhost/%d?q=1", c.status) || e.Protocol != "HTTP/1.1" ||
			e.UserAgent != "me" || e.Referer != "there" || e.RemoteIP != "127.0.0.1" || e.ServerIP != "127.0.0.1" {
			t.Errorf("%d: recorded %+v", c.status, e)
		}
		if e.Latency <= 0 || e.ResponseSize < 5 || e.TraceID != "0af7651916cd43dd8448eb211c80319c" || e.SpanID != "0000000000000001" || !e.Sampled {
			t.Errorf("%d: recorded %+v", c.status, e)
		}
	}
}

// contract: NET-7, ERR-400, ERR-431, ATK-21
func TestRequestsThatNoInstanceIsToSee(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	w := newWorld(t, Config{}, ListenerConfig{})
	w.Set(public(poolOf(app(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) }))))
	const host = "Host: hello.run.localhost\n"
	for name, request := range map[string]string{
		"a name that is not ASCII":  "GET / HTTP/1.1\n" + host + "X\x80: a\n\n",
		"a space before the colon":  "GET / HTTP/1.1\n" + host + "X : a\n\n",
		"a value that is not ASCII": "GET / HTTP/1.1\n" + host + "X: \xff\n\n",
		"a control character":       "GET / HTTP/1.1\n" + host + "X: \x01\n\n",
		"a DEL":                     "GET / HTTP/1.1\n" + host + "X: \x7f\n\n",
		"two hosts":                 "GET / HTTP/1.1\n" + host + host + "\n",
		"no host":                   "GET / HTTP/1.1\n\n",
		"no host, HTTP/1.0":         "GET / HTTP/1.0\n\n",
		"a host that is none":       "GET / HTTP/1.1\nHost: a b\n\n",
		"two lengths":               "POST / HTTP/1.1\n" + host + "Content-Length: 1\nContent-Length: 2\n\nab",
		"a length that is none":     "POST / HTTP/1.1\n" + host + "Content-Length: +1\n\na",
		"a tunnel":                  "CONNECT hello.run.localhost:80 HTTP/1.1\n" + host + "\n",
	} {
		if got := w.raw(t, request); !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.0 400 ") {
			t.Errorf("%s: got %q", name, got)
		}
	}
	many := strings.Repeat("A: b\n", contract.MaxRequestFields+1)
	if got := w.raw(t, "GET / HTTP/1.1\n"+host+many+"\n"); !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("too many headers: got %q", got)
	}
	large := "A: " + strings.Repeat("b", int(contract.MaxRequestHeader)) + "\n"
	if got := w.raw(t, "GET / HTTP/1.1\n"+host+large+"\n"); !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("large headers: got %q", got)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("the service has seen %d of them", n)
	}
}

// contract: NET-9, ERR-413
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	w.Set(public(poolOf(app(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}))))
	over := int64(contract.MaxBody) + 1
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	for _, c := range []struct {
		name      string
		transport *http.Transport
		length    int64
		chunked   bool
		status    int
	}{
		{"as large as may be", &http.Transport{}, over - 1, false, 200},
		{"larger", &http.Transport{ExpectContinueTimeout: time.Minute}, over, false, 413},
		{"larger, in chunks", &http.Transport{}, over, true, 200},
		{"larger, over HTTP/2", &http.Transport{Protocols: h2c}, over, false, 200},
	} {
		r, _ := http.NewRequest("POST", "http://"+w.addr, io.LimitReader(zeros{}, c.length))
		r.Host = "hello.run.localhost"
		if r.ContentLength = c.length; c.chunked {
			r.ContentLength = -1
		}
		if c.status == 413 {
			r.Header.Set("Expect", "100-continue")
		}
		in, err := c.transport.RoundTrip(r)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		body, _ := io.ReadAll(in.Body)
		in.Body.Close()
		if in.StatusCode != c.status || c.status == 200 && string(body) != fmt.Sprint(c.length) {
			t.Errorf("%s: got %d %q", c.name, in.StatusCode, body)
		}
		c.transport.CloseIdleConnections()
	}
}

// zeros is endless.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// contract: ATK-23
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{MaxConnections: 2}, ListenerConfig{})
	w.Set(public(poolOf(breaks(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	}))))
	open := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: hello.run.localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		return c, bufio.NewReader(c)
	}
	one, in := open()
	_, in2 := open()
	for _, in := range []*bufio.Reader{in, in2} {
		if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "101") {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	three, in3 := open()
	_ = three.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if line, err := in3.ReadString('\n'); err == nil {
		t.Errorf("a third connection got %q while two were open", line)
	}
	one.Close()
	_ = three.SetReadDeadline(time.Now().Add(20 * time.Second))
	if line, err := in3.ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		t.Errorf("after one was closed: %q, %v", line, err)
	}
}
