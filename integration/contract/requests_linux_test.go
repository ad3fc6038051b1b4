package contract

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"runnel/integration/rig"
)

// site is a service that a test sends requests to.
type site struct {
	*rig.Daemon
	t    *testing.T
	name string
}

// sharedSite is a service that several tests send requests to, deployed by the
// first of them that can.
type sharedSite struct {
	name  string
	flags []string

	mu sync.Mutex
	up bool // guarded by mu
}

// The services that tests of the request path share. Each has one instance,
// which takes as many requests as there may be.
var (
	plain  = sharedSite{name: "plain", flags: []string{"--concurrency", "1000", "--max-instances", "1"}}
	duplex = sharedSite{name: "duplex", flags: []string{"--concurrency", "1000", "--max-instances", "1",
		"--use-http2", "--set-env-vars", "H2C=1", "--timeout", "3600"}}
	// brief has little time for its requests, which go on all the same.
	brief = sharedSite{name: "brief", flags: []string{"--max-instances", "1", "--no-cpu-throttling", "--timeout", "15"}}
	// narrow takes one request at a time.
	narrow = sharedSite{name: "narrow", flags: []string{"--max-instances", "1", "--cpu", "0.5"}}
	// locked is for those who are let in.
	locked = sharedSite{name: "locked", flags: []string{"--max-instances", "1", "--no-allow-unauthenticated"}}
)

// open is the site for a test, which runs beside others from here on.
func (s *sharedSite) open(t *testing.T) site {
	t.Helper()
	return s.beside(site{daemon(t), t, ""})
}

// beside is the site for a test that has another one.
func (s *sharedSite) beside(other site) site {
	other.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up {
		place(other.Daemon, s.name, s.flags...).Exits(0)
		s.up = true
	}
	other.name = s.name
	return other
}

// place deploys the test server: for everybody, unless flags say otherwise.
func place(d *rig.Daemon, name string, flags ...string) rig.Result {
	d.Host.Helper()
	args := []string{"deploy", name, "--image", d.Host.Server(), "--memory", "256Mi"}
	if !strings.Contains(strings.Join(flags, " "), "allow-unauthenticated") {
		args = append(args, "--allow-unauthenticated")
	}
	return d.CLI(append(args, flags...)...)
}

// ownSite deploys the test server for one test, after which it is deleted.
func ownSite(t *testing.T, flags ...string) site {
	t.Helper()
	s := site{daemon(t), t, nameOf(t)}
	s.gone()
	place(s.Daemon, s.name, flags...).Exits(0)
	return s
}

// gone has the service deleted when the test has ended: it holds memory that
// other tests wait for.
func (s site) gone() {
	s.t.Cleanup(func() { s.CLI("services", "delete", s.name, "--quiet") })
}

// word is one that nothing else has, to know a request by.
func word() string { return strings.ToLower(rand.Text()[:10]) }

// get asks for a path. Header holds names and values in turn.
func (s site) get(path string, header ...string) rig.Answer {
	s.t.Helper()
	return s.Get(s.name, path, header...)
}

// boot tells this instance, and this process of it, from every other.
func (s site) boot() string {
	s.t.Helper()
	return s.get("/self").Is(s.Host, 200).Body
}

// field is a part of what the service is described as.
func (s site) field(path string) string {
	s.t.Helper()
	r := s.CLI("services", "describe", s.name, "--format", "value("+path+")").Exits(0)
	return strings.TrimSpace(r.Stdout)
}

// said is how often the logs of the service hold a text, where a filter passes.
func (s site) said(filter, text string) int {
	s.t.Helper()
	filter = strings.TrimSpace(fmt.Sprintf("resource.labels.service_name=%q AND textPayload:%q %s", s.name, text, filter))
	body, err := json.Marshal(map[string]any{"resourceNames": []string{"projects/local"}, "pageSize": 1000, "filter": filter})
	if err != nil {
		s.t.Fatal(err)
	}
	client := s.HTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Post("http://daemon/v2/entries:list", "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Entries []json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", filter, resp.Status, err)
	}
	return len(answer.Entries)
}

// says waits until the logs hold a text that often, where a filter passes.
func (s site) says(filter, text string, times int) {
	s.t.Helper()
	s.Eventually(fmt.Sprintf("the log of %s says %q %d times, where %q", s.name, text, times, filter), func() bool {
		if s.said(filter, text) == times {
			return true
		}
		<-time.After(100 * time.Millisecond) // the daemon has others to serve
		return false
	})
}

// pending is a request that goes on while the test does other things.
type pending struct {
	answer rig.Answer
	over   chan struct{}
	// giveUp has the client go away.
	giveUp context.CancelFunc
}

// begin asks for a path while the test goes on.
func (s site) begin(path string) *pending { return s.beginBy(s.Requests(), path) }

// beginBy is begin by a client.
func (s site) beginBy(client *http.Client, path string) *pending {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &pending{over: make(chan struct{}), giveUp: cancel}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.over)
		p.answer = rig.Do(client, r)
	}()
	s.t.Cleanup(func() {
		cancel()
		<-p.over
	})
	return p
}

// wait is its answer.
func (p *pending) wait() rig.Answer {
	<-p.over
	return p.answer
}

func (s site) url(path string) string { return "http://" + s.name + ".run.localhost" + path }

// stream is a request whose answer is read while it goes on.
type stream struct {
	*http.Response
	in *bufio.Reader
	// leave has the client go away.
	leave context.CancelFunc
}

// open sends a request, with a body if that is not nil, and returns when it is
// being answered with 200.
func (s site) open(c *http.Client, path string, body io.Reader) stream {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url(path), body)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() }) // it may be left
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s%s: %s", s.name, path, resp.Status)
	}
	return stream{resp, bufio.NewReader(resp.Body), cancel}
}

// hold has the service answer a request without an end, and returns when an
// instance has begun to.
func (s site) hold(c *http.Client) stream {
	s.t.Helper()
	h := s.open(c, "/events?n=2&every=1h", nil)
	if line, err := h.in.ReadString('\n'); line != "data: 0\n" {
		s.t.Errorf("the first event is %q, %v", line, err)
	}
	return h
}

// http2 is a client that speaks HTTP/2 without TLS.
func (s site) http2() *http.Client {
	c := s.Requests()
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	c.Transport.(*http.Transport).Protocols = p
	return c
}

// both are clients of either version of HTTP, by what the client calls it.
func (s site) both() map[string]*http.Client {
	return map[string]*http.Client{"HTTP/1.1": s.Requests(), "HTTP/2.0": s.http2()}
}

// send writes text to a connection of its own, with the service's host for HOST,
// and returns all that comes back until the daemon closes it, be it in anger.
func (s site) send(text string) string {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	// A daemon that has seen enough may close before it has read all.
	_, writeErr := io.WriteString(c, strings.ReplaceAll(text, "HOST", s.name+".run.localhost"))
	back, err := io.ReadAll(c)
	if err != nil && (len(back) == 0 || !errors.Is(err, syscall.ECONNRESET)) {
		s.t.Errorf("after %q: %v, %v", rig.Clip(string(back)), writeErr, err)
	}
	return string(back)
}

// dial is a connection to where services take requests.
func (s site) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.Ingress)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(rig.Patience())); err != nil {
		s.t.Fatal(err)
	}
	return c
}
