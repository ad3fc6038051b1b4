package forward

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// contract: ATK-20, ATK-22
func TestFieldsOfOneConnectionStayThere(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r
		h := w.Header()
		h.Set("Connection", "X-Mine")
		h.Set("Keep-Alive", "timeout=5")
		h.Set("Proxy-Authenticate", "Basic")
		h.Set("Upgrade", "h2c")
		h.Set("X-Mine", "1")
		h.Set("X-Yours", "2")
	})
	for _, h2c := range []bool{false, true} {
		f := newFront(t, addr, h2c, nil)
		answer := raw(t, f, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close, X-Drop, X-Forwarded-For, Forwarded, Host, Traceparent, X-Cloud-Trace-Context\r\n"+
			"X-Drop: 1\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nTraceparent: t\r\nX-Cloud-Trace-Context: c\r\n"+
			"Keep-Alive: 1\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nTE: trailers, gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nX-Keep: a\r\nX-Keep: b\r\n\r\n")
		r := <-got
		var names []string
		for name := range r.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		if want := "Forwarded Te Traceparent X-Cloud-Trace-Context X-Forwarded-For X-Keep"; strings.Join(names, " ") != want {
			t.Errorf("h2c %v: the instance sees %q, want %q", h2c, names, want)
		}
		if r.Host != "a.example" || r.Header.Get("Te") != "trailers" || fmt.Sprint(r.Header["X-Keep"]) != "[a b]" {
			t.Errorf("h2c %v: host %q, %v", h2c, r.Host, r.Header)
		}
		want := "X-Yours: 2\r\n"
		for _, unwanted := range []string{"Keep-Alive", "Proxy-Authenticate", "Upgrade", "h2c"} {
			if strings.Contains(answer, unwanted) {
				t.Errorf("h2c %v: the client sees %q", h2c, answer)
			}
		}
		if !strings.Contains(answer, want) || !h2c && strings.Contains(answer, "X-Mine") {
			t.Errorf("h2c %v: the client sees %q", h2c, answer)
		}
	}
}

func TestRequestsThatCannotBeForwarded(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	addr := newInstance(t, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	for _, h2c := range []bool{false, true} {
		h := NewHop(netip.MustParseAddrPort(addr), h2c)
		defer h.Close()
		for name, change := range map[string]func(*http.Request){
			"space in the target":   func(r *http.Request) { r.RequestURI = "/a HTTP/1.1" },
			"newline in the target": func(r *http.Request) { r.RequestURI = "/a\r\nX: y" },
			"no target":             func(r *http.Request) { r.RequestURI, r.URL = "", &url.URL{Opaque: "x"} },
			"method":                func(r *http.Request) { r.Method = "GET /" },
			"connect":               func(r *http.Request) { r.Method = "CONNECT" },
			"host":                  func(r *http.Request) { r.Host = "a\r\nX: y" },
			"host with a slash":     func(r *http.Request) { r.Host = "a/b" },
			"name of a field":       func(r *http.Request) { r.Header["X y"] = []string{"z"} },
			"value of a field":      func(r *http.Request) { r.Header["X"] = []string{"a", "a\nb"} },
		} {
			r := httptest.NewRequest("GET", "/a", nil)
			change(r)
			if res := h.Serve(httptest.NewRecorder(), r); !errors.Is(res.Err, ErrBadRequest) || res.Sent || res.Answered {
				t.Errorf("h2c %v, %s: %+v", h2c, name, res)
			}
		}
	}
	if n := seen.Load(); n > 0 {
		t.Errorf("the instance has seen %d requests", n)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, h2c := range []bool{false, true} {
		f := newFront(t, l.Addr().String(), h2c, nil)
		get(t, client(t, false), f.URL)
		if res := f.result(t); !errors.Is(res.Err, ErrUnreachable) || res.Sent || res.Answered {
			t.Errorf("h2c %v: %+v", h2c, res)
		}
	}
}

// fickle is an instance that answers the first request of each connection, and
// closes the connection at the second one without a byte. It counts requests.
func fickle(t *testing.T, seen *atomic.Int64) string {
	return newRaw(t, func(c net.Conn, in *bufio.Reader) {
		for n := 0; readHead(in) != ""; n++ {
			seen.Add(1)
			if n > 0 {
				return
			}
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
}

// contract: REQ-9
func TestOnlyWhatDoesNoHarmIsSentTwice(t *testing.T) {
	t.Parallel()
	for method, again := range map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "POST": false, "PUT": false, "DELETE": false, "PATCH": false} {
		var seen atomic.Int64
		f := newFront(t, fickle(t, &seen), false, nil)
		c := client(t, false)
		for i := range 2 {
			req, _ := http.NewRequest(method, f.URL, nil)
			in, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			in.Body.Close()
			if ok := in.StatusCode == 200; ok != (i == 0 || again) {
				t.Errorf("%s, request %d: status %d", method, i, in.StatusCode)
			}
			if res := f.result(t); i == 1 && !again && (!errors.Is(res.Err, ErrMalformed) || !res.Sent) {
				t.Errorf("%s: %+v", method, res)
			}
		}
		if n := seen.Load(); n != 2 && !again || n != 3 && again {
			t.Errorf("%s: the instance has seen %d requests", method, n)
		}
	}
}

func TestGetWithABodyIsSentOnce(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	f := newFront(t, fickle(t, &seen), false, nil)
	get(t, client(t, false), f.URL)
	req, _ := http.NewRequest("GET", f.URL, strings.NewReader("x"))
	in, err := client(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	in.Body.Close()
	if n := seen.Load(); n != 2 || in.StatusCode == 200 {
		t.Errorf("the instance has seen %d requests, status %d", n, in.StatusCode)
	}
}

func TestClosedConnectionsAreNotUsed(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	closed := make(chan struct{})
	addr := newRaw(t, func(c net.Conn, in *bufio.Reader) {
		readHead(in)
		seen.Add(1)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		<-closed
	})
	f := newFront(t, addr, false, nil)
	c := client(t, false)
	get(t, c, f.URL)
	f.result(t)
	close(closed)
	// Its end takes a moment to arrive.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		f.hop.conns.mu.Lock()
		quiet := f.hop.conns.idle[0].look.quiet()
		f.hop.conns.mu.Unlock()
		if !quiet {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the connection seems open")
		}
	}
	in, err := c.Post(f.URL, "", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if read(t, in); in.StatusCode != 200 || seen.Load() != 2 {
		t.Errorf("status %d after %d requests", in.StatusCode, seen.Load())
	}
}

func TestBytesAfterAnAnswerEndItsConnection(t *testing.T) {
	t.Parallel()
	addr := newRaw(t, func(c net.Conn, in *bufio.Reader) {
		readHead(in)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")
		if head := readHead(in); head != "" {
			t.Errorf("the connection is used again: %q", head)
		}
	})
	f := newFront(t, addr, false, nil)
	c := client(t, false)
	for range 5 {
		if _, body := get(t, c, f.URL); body != "one" {
			t.Fatalf("got %q", body)
		}
	}
}

func TestClientThatIsStillSendingGetsItsAnswer(t *testing.T) {
	t.Parallel()
	addr := newRaw(t, func(c net.Conn, in *bufio.Reader) {
		readHead(in)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
		_, _ = io.Copy(io.Discard, in)
	})
	f := newFront(t, addr, false, nil)
	c, err := net.Dial("tcp", f.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
	for range 10 {
		// Had the connection been closed, the second of these would fail, and many
		// clients not look for an answer any more.
		if _, err := fmt.Fprint(c, "some more "); err != nil {
			t.Error(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if got, _ := io.ReadAll(c); !strings.HasSuffix(string(got), "early") {
		t.Errorf("got %q", got)
	}
	if res := f.result(t); res.Err != nil {
		t.Error(res.Err)
	}
}

func TestBodyThatEndsTooSoonIsNotTakenForWhole(t *testing.T) {
	t.Parallel()
	seen := make(chan error, 1)
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		seen <- err
	})
	for _, h2c := range []bool{false, true} {
		for _, head := range []string{"Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"} {
			f := newFront(t, addr, h2c, nil)
			c, err := net.Dial("tcp", f.addr())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\n"+head)
			c.Close()
			if err := <-seen; err == nil {
				t.Errorf("h2c %v: the instance takes half a body for a whole one", h2c)
			}
			if res := f.result(t); res.Err == nil {
				t.Errorf("h2c %v: %+v", h2c, res)
			}
		}
	}
}

func TestBodyThatIsTooLongForTheCaller(t *testing.T) {
	t.Parallel()
	addr := newInstance(t, echo)
	for _, h2c := range []bool{false, true} {
		h := NewHop(netip.MustParseAddrPort(addr), h2c)
		defer h.Close()
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(strings.Repeat("x", 100))))
		r.Body = http.MaxBytesReader(nil, r.Body, 10)
		r.ContentLength = -1
		var tooLong *http.MaxBytesError
		if res := h.Serve(httptest.NewRecorder(), r); !errors.Is(res.Err, ErrBadRequest) || !errors.As(res.Err, &tooLong) {
			t.Errorf("h2c %v: %+v", h2c, res)
		}
	}
}
