package ingress

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is a server that listens, with what it has recorded.
type world struct {
	*Server
	addr string

	mu      sync.Mutex
	entries []*Entry
}

// newWorld starts a server, which is shut down with the test.
func newWorld(t testing.TB, c Config, l ListenerConfig) *world {
	t.Helper()
	w := &world{}
	c.Record = func(e *Entry) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.entries = append(w.entries, e)
	}
	w.Server = New(c)
	w.addr = w.listen(t, l)
	return w
}

// listen opens one more listener.
func (w *world) listen(t testing.TB, c ListenerConfig) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Serve(l, c) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = w.Shutdown(ctx) // some tests leave requests behind
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// last is the newest entry, once there are n.
func (w *world) last(t testing.TB, n int) *Entry {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		w.mu.Lock()
		if len(w.entries) >= n {
			defer w.mu.Unlock()
			return w.entries[n-1]
		}
		w.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatalf("there is no entry %d", n)
		}
		time.Sleep(time.Millisecond)
	}
}

// app starts a program that takes requests, and is where it listens.
func app(t testing.TB, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

// public is a route to one pool that anybody may call, as hello.run.localhost.
func public(p *Pool) *Route {
	target := &Target{Revision: "hello-1", Pool: p, Timeout: time.Minute}
	return &Route{
		Name: "projects/p/locations/r/services/hello", Service: "hello",
		Hosts:  []string{"hello.run.localhost"},
		Splits: []Split{{Target: target, Percent: 100}},
		Access: Access{Public: true},
	}
}

// poolOf is a pool of instances that listen at addrs.
func poolOf(addrs ...netip.AddrPort) *Pool {
	p := NewPool(PoolConfig{Service: "hello", Revision: "hello-1"})
	for i, a := range addrs {
		id := string(rune('a' + i))
		p.Add(Backend{ID: id, PublicID: "public-" + id, Addr: a, Concurrency: 80})
	}
	return p
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   string
}

// get sends a request, for hello.run.localhost if it names no other host.
func (w *world) get(t testing.TB, path string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+w.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "hello.run.localhost"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Add(header[i], header[i+1])
	}
	in, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Body.Close()
	body, err := io.ReadAll(in.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{in.StatusCode, in.Header, string(body)}
}

// raw sends bytes as they are, and reads all that comes until the end of the
// connection.
func (w *world) raw(t testing.TB, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(c) // a reset is an end, too
	return string(answer)
}
