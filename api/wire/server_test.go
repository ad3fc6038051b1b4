package wire_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"runnel/api/wire"
)

// limit is how long anything in these tests may take.
const limit = time.Minute

// logged is what a server has told its log.
type logged struct{ lines chan string }

// newLogged returns a logger and what it is told.
func newLogged() (*slog.Logger, *logged) {
	l := &logged{make(chan string, 10000)}
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})), l
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	select {
	case l.lines <- string(p):
	default:
	}
	return len(p), nil
}

// text is everything that has been told so far.
func (l *logged) text() string {
	var all strings.Builder
	for {
		select {
		case line := <-l.lines:
			all.WriteString(line)
		default:
			return all.String()
		}
	}
}

// server is a server of a test.
type server struct {
	*wire.Server
	// addr is host:port, or the path of the socket.
	addr string
	log  *logged
}

// start serves on a port of the loopback interface until the test ends.
func start(t testing.TB, c wire.Config) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, c, ln)
}

// startOn serves on listeners until the test ends.
func startOn(t testing.TB, c wire.Config, listeners ...net.Listener) *server {
	t.Helper()
	logger, log := newLogged()
	c.Logger = logger
	s := startWith(t, wire.New(c), listeners...)
	s.log = log
	return s
}

// startWith serves on listeners until the test ends.
func startWith(t testing.TB, w *wire.Server, listeners ...net.Listener) *server {
	t.Helper()
	s := &server{Server: w, addr: listeners[0].Addr().String()}
	done := make(chan error, len(listeners))
	for _, ln := range listeners {
		go func() { done <- s.Serve(ln) }()
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for range listeners {
			if err := <-done; err != nil {
				t.Errorf("serve: %v", err)
			}
		}
	})
	return s
}

// get sends a request and returns the answer's status, headers and body.
func get(t testing.TB, client *http.Client, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// newClient is a client with connections of its own, of HTTP/1.1 or, with two,
// only of HTTP/2, over TLS or in the clear.
func newClient(t testing.TB, two bool, trust *tls.Config) *http.Client {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: trust, Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP1(!two)
	tr.Protocols.SetHTTP2(two)
	tr.Protocols.SetUnencryptedHTTP2(two)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// unixClient is a client that asks at a unix socket whatever the URL says.
func unixClient(t testing.TB, path string) *http.Client {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// handle makes a Config with one more handler.
func handle(pattern string, h http.HandlerFunc) wire.Config {
	return wire.Config{Handlers: map[string]http.Handler{pattern: h}}
}
