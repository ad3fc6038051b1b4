package ingress

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// contract: REQ-9
func TestARequestThatNobodyGotIsTriedElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	pool := poolOf(dead, app(t, says("alive")))
	// The dead one is busier, so it comes first.
	defer taken(t, pool, "public-a").Release()
	w.Set(public(pool))
	for range 3 {
		if got := w.get(t, "/"); got.status != 200 || got.body != "alive /" {
			t.Errorf("got %+v", got)
		}
	}
	if e := w.last(t, 1); e.Instance != "public-b" || e.Text != "" {
		t.Errorf("recorded %+v", e)
	}
}

// contract: REQ-9
// An instance that ends before it got a byte, while its CPU is being given back,
// takes nothing from the client: not its connection, and not what it has yet to
// send.
func TestARequestOutlivesAnInstanceThatHasNotGotIt(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		w := newWorld(t, Config{}, ListenerConfig{})
		addr := app(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // a short one is seen below
			_, _ = w.Write(body)
		})
		pool := poolOf()
		pool.Add(Backend{ID: "a", PublicID: "public-a", Addr: addr, Concurrency: 1, Busy: func() {
			pool.Remove("a", ErrEnded)
			pool.Add(Backend{ID: "b", PublicID: "public-b", Addr: addr, Concurrency: 1})
		}})
		w.Set(public(pool))
		body := strings.NewReader(strings.Repeat("x", 1<<20))
		r, err := http.NewRequest(method, "http://"+w.addr, body)
		if err != nil {
			t.Fatal(err)
		}
		if method == "GET" {
			r.Body, r.ContentLength = nil, 0
		}
		r.Host = "hello.run.localhost"
		in, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(method, err)
		}
		got, err := io.ReadAll(in.Body)
		_ = in.Body.Close() // it has been read
		if in.StatusCode != 200 || err != nil || int64(len(got)) != r.ContentLength {
			t.Errorf("%s: got %d with %d bytes, %v", method, in.StatusCode, len(got), err)
		}
		if e := w.last(t, 1); e.Instance != "public-b" || e.Text != "" {
			t.Errorf("%s: recorded %+v", method, e)
		}
	}
}

// contract: REQ-9
func TestABodyThatNobodyGotIsTriedElsewhere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	alive := app(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body) // a short one is seen below
		fmt.Fprint(w, n)
	})
	for _, from := range []bool{false, true} {
		for _, to := range []bool{false, true} {
			w := newWorld(t, Config{}, ListenerConfig{})
			pool := poolOf()
			pool.Add(Backend{ID: "a", PublicID: "public-a", Addr: dead, H2C: to, Concurrency: 80})
			pool.Add(Backend{ID: "b", PublicID: "public-b", Addr: alive, H2C: to, Concurrency: 80})
			defer taken(t, pool, "public-a").Release() // busier, so that it comes first
			w.Set(public(pool))
			client := &http.Transport{Protocols: new(http.Protocols)}
			client.Protocols.SetHTTP1(!from)
			client.Protocols.SetUnencryptedHTTP2(from)
			defer client.CloseIdleConnections()
			r, err := http.NewRequest("POST", "http://"+w.addr, strings.NewReader(strings.Repeat("x", 1<<20)))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "hello.run.localhost"
			in, err := client.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(in.Body) // as above
			_ = in.Body.Close()           // it has been read
			if in.StatusCode != 200 || string(got) != "1048576" {
				t.Errorf("HTTP/2 from the client %v, to the instance %v: got %d %q", from, to, in.StatusCode, got)
			}
		}
	}
}
