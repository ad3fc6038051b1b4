package probe

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// server serves h and returns its port.
func server(t *testing.T, h http.HandlerFunc) (port int) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).Port
}

// contract: HC-6
func TestHTTPStatus(t *testing.T) {
	t.Parallel()
	port := server(t, func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.Header().Set("Location", "/500") // followed, it would fail
		w.WriteHeader(code)
	})
	for code, text := range map[int]string{
		200: "", 204: "", 299: "", 302: "", 304: "", 399: "",
		400: "the answer is 400 Bad Request", 404: "404 Not Found", 500: "500 Internal", 503: "503 Service", 599: "the answer is 599",
	} {
		err := Check{Kind: HTTP, Port: port, Path: "/" + strconv.Itoa(code)}.Do(t.Context(), loopback)
		want(t, strconv.Itoa(code), err, text)
	}
}

// contract: HC-2
func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	port := server(t, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	for _, c := range []struct {
		check      Check
		uri, agent string
		host       string
	}{
		{Check{}, "/", "GoogleHC/1.0", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))},
		{Check{Path: "/a/b?c=d%20e"}, "/a/b?c=d%20e", "GoogleHC/1.0", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))},
		{Check{Path: "health", Headers: []Header{{"host", "app.example"}, {"X-Key", "1"}, {"x-key", "2"}, {"user-agent", "me"}}}, "/health", "me", "app.example"},
	} {
		c.check.Kind, c.check.Port = HTTP, port
		if err := c.check.Do(t.Context(), loopback); err != nil {
			t.Fatal(err)
		}
		r := <-got
		if r.Method != http.MethodGet || r.Proto != "HTTP/1.1" || !r.Close || r.RequestURI != c.uri || r.Host != c.host || r.UserAgent() != c.agent {
			t.Errorf("%+v: %s %s %s, host %s, agent %s", c.check, r.Method, r.RequestURI, r.Proto, r.Host, r.UserAgent())
		}
		if keys := strings.Join(r.Header["X-Key"], " "); len(c.check.Headers) > 0 && keys != "1 2" {
			t.Errorf("X-Key: %q", keys)
		}
	}
}

func TestHTTPHeadersAreNoWayToSplitARequest(t *testing.T) {
	t.Parallel()
	port := server(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Split") != "" || r.URL.Path != "/" {
			t.Errorf("a request with %v for %s", r.Header, r.URL)
		}
	})
	for _, h := range []Header{{"A", "1\r\nSplit: 2"}, {"A\r\nSplit: 2\r\nB", "1"}, {"Host", "a\r\nSplit: 2"}} {
		_ = Check{Kind: HTTP, Port: port, Headers: []Header{h}}.Do(t.Context(), loopback)
	}
	err := Check{Kind: HTTP, Port: port, Path: "/a b\r\nSplit: 2"}.Do(t.Context(), loopback)
	want(t, "a path that is none", err, "is none of HTTP")
}

// contract: HC-6
func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct{ answer, want string }{
		"closed at once":     {"", "closed the connection without an answer"},
		"half a status line": {"HTTP/1.1 2", "the answer is none of HTTP/1.1"},
		"HTTP/2 only":        {"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", "the answer is none of HTTP/1.1"},
		"another protocol":   {"SSH-2.0-OpenSSH_9.2\r\n", "the answer is none of HTTP/1.1"},
		"interim answers":    {"HTTP/1.1 103 Early Hints\r\n\r\n" + ok + "\r\n", ""},
		"nothing else":       {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20), "only interim answers"},
		"HTTP/1.0":           {"HTTP/1.0 200 OK\r\n\r\n", ""},
		"huge headers":       {ok + "A: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", "headers are larger than 65536 bytes"},
		"a body cut off":     {ok + "Content-Length: 10\r\n\r\nabc", ""},
	} {
		port := raw(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, c.answer)
		})
		want(t, name, Check{Kind: HTTP, Port: port, Timeout: patience}.Do(t.Context(), loopback), c.want)
	}
}

// A body without an end is read for a while only, and its status counts.
func TestHTTPEndlessBodies(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 2)
	port := server(t, func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- struct{}{} }()
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/stalls" {
			<-r.Context().Done()
			return
		}
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	want(t, "stalls", Check{Kind: HTTP, Port: port, Path: "/stalls", Timeout: 50 * time.Millisecond}.Do(t.Context(), loopback), "")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	want(t, "never ends", Check{Kind: HTTP, Port: port, Path: "/endless", Timeout: patience}.Do(ctx, loopback), "")
	for range 2 {
		<-ended
	}
	if ctx.Err() != nil {
		t.Error("the endless body was read until the timeout")
	}
}
