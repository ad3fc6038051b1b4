package ingress

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// breaks is a program that reads a request and hands the connection to h.
func breaks(t *testing.T, h func(net.Conn)) netip.AddrPort {
	return app(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		h(c)
	})
}

// contract: ERR-502, ERR-503, ERR-500a, LIFE-10, HC-7
func TestAnInstanceThatBreaksARequestOff(t *testing.T) {
	t.Parallel()
	const (
		connection = "The request failed because either the HTTP response was malformed or connection to the instance had an error."
		memory     = "While handling this request, the container instance was found to be using too much memory and was terminated."
	)
	for _, c := range []struct {
		name   string
		answer string
		why    error
		status int
		text   string
	}{
		{"half a header", "HTTP/1.1 200 OK\r\nContent-", nil, 503, connection},
		{"nonsense", "hello\r\n\r\n", nil, 503, connection},
		{"a header with a control character", "HTTP/1.1 200 OK\r\nA: \x01\r\nContent-Length: 0\r\n\r\n", nil, 503, connection},
		{"nothing, being killed", "", ErrEnded, 503, connection},
		{"nothing, out of memory", "", ErrMemory, 500, memory},
		{"nothing, unhealthy", "", ErrUnhealthy, 503, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Config{}, ListenerConfig{})
			var pool *Pool
			var calls atomic.Int32
			pool = poolOf(breaks(t, func(conn net.Conn) {
				calls.Add(1)
				if c.why != nil {
					// The connection breaks before anybody knows why.
					time.AfterFunc(20*time.Millisecond, func() { pool.Remove("a", c.why) })
					return
				}
				_, _ = io.WriteString(conn, c.answer)
			}))
			w.Set(public(pool))
			got := w.get(t, "/")
			e := w.last(t, 1)
			if got.status != c.status || e.Status != c.status || e.Severity != "ERROR" || e.Instance != "public-a" {
				t.Errorf("got %d, recorded %+v", got.status, e)
			}
			if c.text != "" && e.Text != c.text {
				t.Errorf("recorded %q", e.Text)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("the request was sent %d times", n)
			}
			if s := pool.Stats(); s.Active != 0 {
				t.Errorf("%d active", s.Active)
			}
		})
	}
}

// contract: ERR-500a
// A busy host may take its time to find out why an instance has died, with its
// first request or with one on a connection that was used before.
func TestWhyAnInstanceHasDiedIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, served := range []int{0, 1} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pool := poolOf(netip.MustParseAddrPort(l.Addr().String()))
		var dying sync.WaitGroup
		dying.Go(func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			requests := bufio.NewReader(c)
			for range served {
				_, _ = http.ReadRequest(requests) // the client tells
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
			_, _ = http.ReadRequest(requests)
			_ = l.Close() // it dies
			_ = c.Close() // as above
			time.AfterFunc(3*verdictTime, func() { pool.Remove("a", ErrMemory) })
		})
		w := newWorld(t, Config{}, ListenerConfig{})
		w.Set(public(pool))
		for range served {
			w.get(t, "/")
		}
		if got := w.get(t, "/"); got.status != 500 {
			t.Errorf("after %d requests: got %+v", served, got)
		}
		dying.Wait()
	}
}

// What follows a request that was cut off is none the worse for it, on whatever
// connection it comes.
func TestTheRequestAfterOneThatWasCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	var pool *Pool
	dies := app(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // the answer tells
		pool.Remove("a", ErrEnded)
		<-r.Context().Done()
	})
	pool = poolOf(dies)
	w.Set(public(pool))
	after := app(t, says("alive"))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, body := range []string{"", "some"} {
		for n, want := range []int{503, 200, 200} {
			r, err := http.NewRequest("POST", "http://"+w.addr, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "hello.run.localhost"
			if n == 1 {
				pool.Add(Backend{ID: "b", PublicID: "public-b", Addr: after, Concurrency: 80})
			}
			in, err := client.Do(r)
			if err != nil {
				t.Fatalf("request %d with %q: %v", n, body, err)
			}
			text, _ := io.ReadAll(in.Body) // its length tells
			_ = in.Body.Close()            // as above
			if in.StatusCode != want || len(text) == 0 {
				t.Errorf("request %d with %q: %d %q, want %d", n, body, in.StatusCode, text, want)
			}
			<-time.After(20 * time.Millisecond) // a deadline that stays would come by now
		}
		pool.Remove("b", ErrEnded)
		pool.Add(Backend{ID: "a", PublicID: "public-a", Addr: dies, Concurrency: 80})
	}
}

// contract: ERR-429, ERR-500b, SC-9, SC-10
func TestNoInstance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why            error
		status         int
		severity, body string
	}{
		{ErrSaturated, 429, "WARNING", "Rate exceeded."},
		{ErrNoInstance, 500, "ERROR", "<h1>Error: Server Error</h1>"},
	} {
		w := newWorld(t, Config{}, ListenerConfig{})
		waits := make(chan struct{}, 1)
		pool := NewPool(PoolConfig{Demand: func() { waits <- struct{}{} }})
		w.Set(public(pool))
		go func() {
			<-waits
			pool.Reject(c.why)
		}()
		got := w.get(t, "/")
		if got.status != c.status || !strings.Contains(got.body, c.body) || c.status == 429 && got.body != c.body {
			t.Errorf("%v: got %+v", c.why, got)
		}
		e := w.last(t, 1)
		if e.Text != "The request was aborted because there was no available instance." || e.Severity != c.severity {
			t.Errorf("%v: recorded %+v", c.why, e)
		}
	}
}

// contract: REQ-1, REQ-2, ERR-504
func TestTheTimeoutCountsFromArrival(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	for _, name := range []string{"waiting", "at an instance", "both", "sending its body"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Config{}, ListenerConfig{})
			ended := make(chan struct{})
			addr := app(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.ReadAll(r.Body)
				<-r.Context().Done()
				close(ended)
			})
			pool := poolOf()
			add := func() { pool.Add(Backend{ID: "a", PublicID: "public-a", Addr: addr, Concurrency: 1}) }
			switch name {
			case "at an instance", "sending its body":
				add()
			case "both":
				time.AfterFunc(timeout*5/6, add)
			}
			r := public(pool)
			r.Splits[0].Target.Timeout = timeout
			w.Set(r)
			body := ""
			if name == "sending its body" {
				body = "Content-Length: 5\n"
			}
			got := w.raw(t, "POST / HTTP/1.1\nHost: hello.run.localhost\n"+body+"\n")
			if !strings.HasPrefix(got, "HTTP/1.1 504 ") || !strings.HasSuffix(got, "\r\n\r\nupstream request timeout") {
				t.Errorf("got %q", got)
			}
			e := w.last(t, 1)
			if took := e.Latency; took < timeout || took > timeout+2*time.Second {
				t.Errorf("it took %v", took)
			}
			if e.Status != 504 || e.Text != "The request has been terminated because it has reached the maximum request timeout." {
				t.Errorf("recorded %+v", e)
			}
			if name != "waiting" {
				<-ended
			}
		})
	}
}

// What is left of the body must not be taken for the next request.
//
// contract: ERR-503
func TestAnInstanceThatEndsWhileAClientIsSending(t *testing.T) {
	t.Parallel()
	for _, h2c := range []bool{false, true} {
		w := newWorld(t, Config{}, ListenerConfig{})
		pool := poolOf()
		addr := app(t, func(_ http.ResponseWriter, r *http.Request) {
			pool.Remove("a", ErrEnded)
			_, _ = io.ReadAll(r.Body) // it ends with the request
		})
		pool.Add(Backend{ID: "a", PublicID: "public-a", Addr: addr, H2C: h2c, Concurrency: 1})
		w.Set(public(pool))
		c, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: hello.run.localhost\r\nContent-Length: 5\r\n\r\n12")
		if in, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || in.StatusCode != 503 || !in.Close {
			t.Errorf("HTTP/2 to the instance %v: got %+v, %v", h2c, in, err)
		}
		_ = c.Close() // it has said all that it will
	}
}

// contract: REQ-8
func TestAClientThatGoesAwayEndsItsRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	entered, ended := make(chan struct{}), make(chan struct{})
	w.Set(public(poolOf(app(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(ended)
	}))))
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, "GET", "http://"+w.addr, nil)
	r.Host = "hello.run.localhost"
	go func() {
		<-entered
		cancel()
	}()
	if _, err := http.DefaultTransport.RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-ended
	if e := w.last(t, 1); e.Status != 499 || e.Severity != "WARNING" {
		t.Errorf("recorded %+v", e)
	}
}

func TestAnAnswerThatBreaksOffIsSeenToBeIncomplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	w.Set(public(poolOf(breaks(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
	}))))
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: hello.run.localhost\r\n\r\n")
	in, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(in.Body); err == nil || string(body) != "hello" {
		t.Errorf("read %q, %v: want an incomplete answer", body, err)
	}
	if e := w.last(t, 1); e.Status != 200 || e.Severity != "ERROR" || e.Text == "" {
		t.Errorf("recorded %+v", e)
	}
}
