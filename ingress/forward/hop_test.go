package forward

import (
	"bufio"
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

// front is a server whose requests all go to one instance, as those of a client
// do.
type front struct {
	*httptest.Server
	hop *Hop
	// results has one for each of the first requests that are over.
	results chan Result
}

// newFront serves what is sent to the instance at addr. before may change a
// request; nil for none.
func newFront(t testing.TB, addr string, h2c bool, before func(*http.Request) *http.Request) *front {
	t.Helper()
	f := &front{hop: NewHop(netip.MustParseAddrPort(addr), h2c), results: make(chan Result, 1000)}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before != nil {
			r = before(r)
		}
		res := f.hop.Serve(w, r)
		select {
		case f.results <- res:
		default: // Nobody asks for so many.
		}
		if res.Err != nil && res.Answered {
			panic(http.ErrAbortHandler)
		} else if res.Err != nil {
			http.Error(w, res.Err.Error(), http.StatusBadGateway)
		}
	}))
	f.Config.Protocols = new(http.Protocols)
	f.Config.Protocols.SetHTTP1(true)
	f.Config.Protocols.SetUnencryptedHTTP2(true)
	f.Start()
	t.Cleanup(func() {
		f.Close()
		if err := f.hop.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// result is that of the next request that is over.
func (f *front) result(t testing.TB) Result {
	t.Helper()
	select {
	case res := <-f.results:
		return res
	case <-time.After(20 * time.Second):
		t.Fatal("no request has ended within 20 s")
		return Result{}
	}
}

// addr is where the front listens.
func (f *front) addr() string { return f.Listener.Addr().String() }

// newInstance is a server of Go's as an instance.
func newInstance(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// newRaw is an instance that treats each connection as it likes; the connection
// is closed when it returns.
func newRaw(t testing.TB, serve func(c net.Conn, in *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// says is an instance that answers each request with the same bytes, and closes
// the connection after them if last is true.
func says(t testing.TB, answer string, last bool) string {
	return newRaw(t, func(c net.Conn, in *bufio.Reader) {
		for readHead(in) != "" {
			if _, err := io.WriteString(c, answer); err != nil || last {
				return
			}
		}
	})
}

// readHead reads one head, without its end; "" if there is none.
func readHead(in *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == "\r\n" {
			return head.String()
		}
		head.WriteString(line)
	}
}

// client is a client over HTTP/1.1, or over HTTP/2 without TLS.
func client(t testing.TB, h2 bool) *http.Client {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true, ExpectContinueTimeout: 5 * time.Second}
	tr.Protocols.SetHTTP1(!h2)
	tr.Protocols.SetUnencryptedHTTP2(h2)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

// get asks for url, and returns the answer with its body.
func get(t testing.TB, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	in, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return in, read(t, in)
}

// read reads the body of an answer.
func read(t testing.TB, in *http.Response) string {
	t.Helper()
	defer in.Body.Close()
	body, err := io.ReadAll(in.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// raw sends bytes to the front, and returns all that it answers until it closes
// the connection or is silent for long.
func raw(t testing.TB, f *front, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", f.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(c)
	return string(answer)
}
