package proxy

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/daemon"
)

// serve proxies to a server until the test ends, and returns the proxy's URL.
func serve(t *testing.T, server *httptest.Server, tokens Source) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stopped := errors.New("stopped")
	done := make(chan error, 1)
	way := Way{address: server.Listener.Addr().String()}
	target := &url.URL{Scheme: "http", Host: "hello.run.localhost:8080"}
	go func() { done <- Serve(ctx, l, target, way, tokens) }()
	t.Cleanup(func() {
		cancel(stopped)
		if err := <-done; !errors.Is(err, stopped) {
			t.Errorf("it ended with %v", err)
		}
	})
	return "http://" + l.Addr().String()
}

// echo is a service that tells what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s|%s|%s|%s|%s|%s", r.Method, r.Host, r.RequestURI, r.Proto, r.Header.Get(tokenHeader), r.Header.Get("Authorization"), r.Header.Get("X-Forwarded-For"), body)
}

// newServer serves HTTP/1 and, without TLS, HTTP/2.
func newServer(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s.Config.Protocols = &protocols
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// contract: CLI-4
func TestRequestsGetATokenAndTheServicesHost(t *testing.T) {
	t.Parallel()
	proxied := serve(t, newServer(t, echo), Fixed("secret"))
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	for proto, transport := range map[string]*http.Transport{"HTTP/1.1": {}, "HTTP/2.0": {Protocols: &protocols}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxied+"/a%2Fb?c=d&e", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Basic mine")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		want := "POST hello.run.localhost:8080 /a%2Fb?c=d&e|" + proto + "|Bearer secret|Basic mine|127.0.0.1|body"
		if string(body) != want {
			t.Errorf("the service saw\n%s, want\n%s", body, want)
		}
		transport.CloseIdleConnections()
	}
}

// contract: CLI-4
func TestWebSocketsPassThrough(t *testing.T) {
	t.Parallel()
	proxied := serve(t, newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get(tokenHeader) != "Bearer secret" {
			t.Errorf("it was asked %v", r.Header)
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		fmt.Fprint(conn, "you said "+line)
	}), Fixed("secret"))
	conn, err := net.Dial("tcp", strings.TrimPrefix(proxied, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", resp, err)
	}
	fmt.Fprint(conn, "hi\n")
	if line, err := in.ReadString('\n'); line != "you said hi\n" {
		t.Errorf("%q, %v", line, err)
	}
}

// What is written comes at once, not when it is over.
func TestStreamsPassThrough(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	proxied := serve(t, newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "8")
		_, _ = io.WriteString(w, "one\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "two\n")
	}), Fixed("secret"))
	resp, err := (&http.Client{Timeout: 30 * time.Second}).Get(proxied)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"one\n", "two\n"} {
		if line, err := lines.ReadString('\n'); line != want {
			t.Fatalf("%q, %v, want %q", line, err, want)
		}
		if want == "one\n" {
			close(more)
		}
	}
}

func TestWhatGoesWrongIsToldToTheCaller(t *testing.T) {
	t.Parallel()
	gone := newServer(t, echo)
	gone.Close()
	for name, proxied := range map[string]string{
		"cannot reach http://hello.run.localhost:8080": serve(t, gone, Fixed("secret")),
		"there is no identity token: no luck":          serve(t, newServer(t, echo), func(context.Context) (string, error) { return "", errors.New("no luck") }),
	} {
		resp, err := http.Get(proxied)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadGateway || !strings.Contains(string(body), name) {
			t.Errorf("%s: %s", resp.Status, body)
		}
	}
}

// A token is used until shortly before its end, and no longer.
func TestTokensAreRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		tokens := cached(func(context.Context) (string, error) {
			asked++
			claims := fmt.Sprintf(`{"exp":%d}`, time.Now().Add(time.Hour).Unix())
			return "x." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".y", nil
		})
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {time.Minute, 1}, {53 * time.Minute, 1}, {2 * time.Minute, 2}, {50 * time.Minute, 2}} {
			time.Sleep(step.wait)
			if _, err := tokens(t.Context()); err != nil || asked != step.want {
				t.Errorf("after %s more: asked %d times, want %d (%v)", step.wait, asked, step.want, err)
			}
		}
		opaque := 0
		tokens = cached(func(context.Context) (string, error) {
			opaque++
			return "opaque", nil
		})
		for range 3 {
			_, _ = tokens(t.Context())
			time.Sleep(unknownLife - time.Second)
		}
		if opaque != 2 {
			t.Errorf("asked %d times for a token without an end", opaque)
		}
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ target, ingress, machine, want string }{
		{"http://hello.run.localhost:8080", "", "", "127.0.0.1:8080"},
		{"http://hello.run.localhost", "", "", "127.0.0.1:80"},
		{"https://hello.run.localhost", "", "", "127.0.0.1:443"},
		{"http://hello.run.localhost:8080", "[::]:8080", "", "127.0.0.1:8080"},
		{"http://hello.run.localhost:8080", "10.0.0.1:8081", "", "10.0.0.1:8081"},
		{"http://hello.run.localhost:8080", "10.0.0.1:8081", "far", "far:8081"},
		{"http://hello.run.localhost:8080", "0.0.0.0:8080", "far", "far:8080"},
		{"https://hello.example.com", "10.0.0.1:8081", "far", ""},
	} {
		target, err := url.Parse(tt.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := addressOf(target, tt.ingress, tt.machine); got != tt.want {
			t.Errorf("%s at %q on %q: %q, want %q", tt.target, tt.ingress, tt.machine, got, tt.want)
		}
	}
}

// Certificates of the daemon's own authority are trusted, no others.
func TestTLS(t *testing.T) {
	t.Parallel()
	service := httptest.NewTLSServer(http.HandlerFunc(echo))
	t.Cleanup(service.Close)
	var own atomic.Bool
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == daemon.SettingsPath:
			fmt.Fprintf(w, `{"ingressTLS":%q}`, service.Listener.Addr())
		case own.Load() && r.URL.Path == daemon.CAPath:
			_, _ = w.Write(certificate(service))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(api.Close)
	c, err := client.Open(client.Config{Host: api.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	target, _ := url.Parse("https://example.com.localhost")
	for _, trusted := range []bool{true, false} {
		own.Store(trusted)
		way, err := Ask(t.Context(), c, target)
		if err != nil {
			t.Fatal(err)
		}
		transport := way.transport(false)
		transport.TLSClientConfig.ServerName = "example.com" // which that certificate is for
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, target.String(), nil)
		resp, err := transport.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if (err == nil) != trusted {
			t.Errorf("the authority is the daemon's own: %v; %v", trusted, err)
		}
		transport.CloseIdleConnections()
	}
}

// certificate is that of a server, in PEM form.
func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
