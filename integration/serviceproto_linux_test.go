package integration

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/integration/rig"
)

// seen is what the test server has seen of a request.
type seen struct {
	Method, URI, Host, Protocol, Body string
	Headers, Trailers                 http.Header
}

// requestAs has a service tell what it sees of a request, and returns the answer.
func requestAs(d *rig.Daemon, c *http.Client, service string, header ...string) (s seen, a rig.Answer) {
	d.Host.Helper()
	a = d.Ask(c, http.MethodGet, service, "/request?a=1", nil, header...).Is(d.Host, 200)
	a.Decode(d.Host, &s)
	return s, a
}

// requestsH2 is a client like requests that speaks HTTP/2 without TLS.
func requestsH2(d *rig.Daemon) *http.Client {
	c := d.Requests()
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	c.Transport.(*http.Transport).Protocols = p
	return c
}

// sendRaw writes text to a connection of its own and returns everything that comes
// back, until the daemon closes it, be it in anger.
func sendRaw(d *rig.Daemon, text string) string {
	d.Host.Helper()
	c, err := net.Dial("tcp", d.Ingress)
	if err != nil {
		d.Host.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(rig.Patience())); err != nil {
		d.Host.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		d.Host.Fatal(err)
	}
	back, err := io.ReadAll(c)
	if err != nil && (len(back) == 0 || !errors.Is(err, syscall.ECONNRESET)) {
		d.Host.Errorf("after %q: %v", rig.Clip(string(back)), err)
	}
	return string(back)
}

// contract: NET-3, NET-4, NET-7, NET-8, NET-12, NET-15
func TestRequestsAsAServiceSeesThem(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("web").Exits(0)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for name, client := range map[string]*http.Client{"HTTP/1.1": d.Requests(), "HTTP/2.0": requestsH2(d)} {
		s, a := requestAs(d, client, "web", "X-Forwarded-For", "192.0.2.1", "Traceparent", parent, "X-Mine", "a b")
		want := map[string]string{
			"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Proto": "http", "Forwarded": `for="127.0.0.1";proto=http`,
			"Traceparent": parent, "X-Cloud-Trace-Context": "0af7651916cd43dd8448eb211c80319c/13235353014750950193;o=1", "X-Mine": "a b",
		}
		for field, value := range want {
			if got := s.Headers.Values(field); len(got) != 1 || got[0] != value {
				t.Errorf("%s: %s is %q, want %q", name, field, got, value)
			}
		}
		if s.Protocol != "HTTP/1.1" || s.Host != "web.run.localhost" || s.URI != "/request?a=1" {
			t.Errorf("%s is seen as %+v", name, s)
		}
		if a.Protocol != name {
			t.Errorf("the answer comes by %s, want %s", a.Protocol, name)
		}
	}
	s, _ := requestAs(d, d.Requests(), "web")
	fresh := regexp.MustCompile(`^([0-9a-f]{32})/[1-9][0-9]*;o=1$`).FindStringSubmatch(s.Headers.Get("X-Cloud-Trace-Context"))
	if fresh == nil || !strings.HasPrefix(s.Headers.Get("Traceparent"), "00-"+fresh[1]+"-") {
		t.Errorf("a new trace is %q and %q", s.Headers.Get("X-Cloud-Trace-Context"), s.Headers.Get("Traceparent"))
	}

	d.Get("web", "/healthz").Is(h, 200, "web web-00001-")
	if got := d.Get("web", "/cookie").Is(h, 200).Header; got.Get("Cache-Control") != "private" || got.Get("Set-Cookie") != "a=b" {
		t.Errorf("an answer with a cookie has %v", got)
	}
	if back := sendRaw(d, "GET / HTTP/1.1\r\nHost: web.run.localhost\r\nX\x80: a\r\n\r\n"); !strings.HasPrefix(back, "HTTP/1.1 400 ") {
		t.Errorf("a name that is not ASCII: %q", back)
	}
	d.Get("web", "/break?with="+url.QueryEscape("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \x01\r\n\r\n")).Is(h, 503, "Service Unavailable")
	d.Get("web", "/").Is(h, 200)
}

// contract: NET-9, NET-10
func TestBodiesUpToTheirLimits(t *testing.T) {
	rig.HostOnly(t, "it costs processor time, and does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("web", "--memory", "512Mi").Exits(0)
	const limit = 32 << 20
	one, two := d.Requests(), requestsH2(d)
	for _, c := range []struct {
		client *http.Client
		n      int64
		sized  bool
		code   int
	}{
		{one, limit, true, 200}, {one, limit + 1, true, 413}, {one, limit + 1, false, 200}, {two, limit + 1, true, 200},
	} {
		sent := sha256.New()
		var body io.Reader = io.TeeReader(io.LimitReader(new(pattern), c.n), sent)
		r, err := http.NewRequest(http.MethodPost, "http://web.run.localhost/echo", body)
		if err != nil {
			t.Fatal(err)
		}
		if c.sized {
			r.ContentLength = c.n
		}
		resp, err := c.client.Do(r)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		back := sha256.New()
		n, err := io.Copy(back, resp.Body)
		_ = resp.Body.Close() // it is read
		if resp.StatusCode != c.code || err != nil {
			t.Errorf("%+v: %d, %v", c, resp.StatusCode, err)
		}
		if c.code == 200 && (n != c.n || string(back.Sum(nil)) != string(sent.Sum(nil))) {
			t.Errorf("%+v: %d bytes came back, or others", c, n)
		}
	}
	for _, c := range []struct {
		client *http.Client
		query  string
		code   int
	}{
		{one, "n=33554432", 200}, {one, "n=33554433", 500}, {one, "n=33554433&chunked=1", 200}, {two, "n=33554433", 200},
	} {
		a := d.Ask(c.client, http.MethodGet, "web", "/bytes?"+c.query, nil)
		var want int
		if fmt.Sscanf(c.query, "n=%d", &want); c.code == 200 && len(a.Body) != want || a.Code != c.code || a.Err != nil {
			t.Errorf("%s: %d with %d bytes, %v, want %d", c.query, a.Code, len(a.Body), a.Err, c.code)
		}
	}
}

// pattern is an endless source of bytes that change.
type pattern struct{ at uint32 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		p.at = p.at*1664525 + 1013904223
		b[i] = byte(p.at >> 24)
	}
	return len(b), nil
}

// contract: REQ-7, REQ-8
// Each event arrives though the next never comes; an upload is answered as it
// goes on; and a service sees that its client has gone.
func TestStreamsFlowAsTheyAreWritten(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("web").Exits(0)
	d.Deploy("two", "--use-http2", "--set-env-vars", "H2C=1").Exits(0)
	for _, c := range []struct {
		service string
		client  *http.Client
	}{{"web", d.Requests()}, {"web", requestsH2(d)}, {"two", d.Requests()}, {"two", requestsH2(d)}} {
		ctx, leave := context.WithCancel(h.Limit(rig.Patience()))
		resp := openStream(d, ctx, c.client, c.service, "/events?n=2&every=1h", nil)
		line, err := bufio.NewReader(resp.Body).ReadString('\n')
		if line != "data: 0\n" || err != nil || resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("%s: the first event is %q, %v", c.service, line, err)
		}
		leave()
		_ = resp.Body.Close() // it was left
		d.Eventually("only who asks is there", func() bool { return d.Get(c.service, "/now").Body == "1\n" })

		ctx, leave = context.WithCancel(h.Limit(rig.Patience()))
		in, out := io.Pipe()
		wrote := make(chan error, 1)
		go func() {
			_, err := io.WriteString(out, "ping")
			wrote <- err
		}()
		resp = openStream(d, ctx, c.client, c.service, "/echo", in)
		buf := make([]byte, 4)
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != "ping" {
			t.Errorf("%s: %q comes back, %v", c.service, buf, err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		_ = out.Close() // a pipe's cannot fail
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
			t.Errorf("%s: %q follows, %v", c.service, rest, err)
		}
		leave()
		_ = resp.Body.Close() // it is read
	}
	ctx, leave := context.WithCancel(h.Limit(rig.Patience()))
	gone := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://web.run.localhost/sleep?for=1h", nil)
		if err == nil {
			_, err = d.Requests().Do(r)
		}
		gone <- err
	}()
	d.Eventually("the request is there", func() bool { return d.Get("web", "/now").Body == "2\n" })
	leave()
	if err := <-gone; err == nil {
		t.Error("the request was answered")
	}
	tells(d, "web", "the client has gone")
}

// openStream begins a request and returns the answer, whose body the caller closes.
func openStream(d *rig.Daemon, ctx context.Context, c *http.Client, service, path string, body io.Reader) *http.Response {
	d.Host.Helper()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+service+".run.localhost"+path, body)
	if err != nil {
		d.Host.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		d.Host.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		d.Host.Errorf("%s%s: %s", service, path, resp.Status)
	}
	return resp
}
