package ingress

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// says answers with who it is and what it was asked.
func says(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", name, r.URL.Path) }
}

// contract: URL-1, URL-2, TAG-1, AUTH-6, NET-15, ERR-404
func TestHostsFindTheirRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	r := public(poolOf(app(t, says("main"))))
	r.Hosts = append(r.Hosts, "hello-1.r.run.localhost", "*.example.test")
	r.Tags = []Tag{{Name: "next", Hosts: []string{"next---hello.run.localhost"},
		Target: &Target{Revision: "hello-2", Pool: poolOf(app(t, says("next")))}}}
	w.Set(r)
	const unknown = "The requested URL was not found on this server."
	for _, c := range []struct{ host, want string }{
		{"hello.run.localhost", "main /healthz"},
		{"HELLO.run.localhost.:8080", "main /healthz"},
		{"hello-1.r.run.localhost", "main /healthz"},
		{"a.b.example.test", "main /healthz"},
		{"next---hello.run.localhost:80", "next /healthz"},
		{"example.test", unknown},
		{"nosuch.run.localhost", unknown},
		{"a.hello.run.localhost", unknown},
		{"[::1]:80", unknown},
	} {
		got := w.get(t, "/healthz", "Host", c.host)
		if !strings.Contains(got.body, c.want) || (got.status == 404) != (c.want == unknown) {
			t.Errorf("%s: %d %q, want %q", c.host, got.status, got.body, c.want)
		}
	}
	for host, want := range map[string][2]bool{
		"hello.run.localhost": {true, true}, "next---hello.run.localhost": {true, true},
		"a.example.test": {true, false}, "example.test": {false, false}, "nosuch.run.localhost": {false, false},
	} {
		if known, named := w.Knows(host), w.Names(host); known != want[0] || named != want[1] {
			t.Errorf("%s: known %v, a name %v, want %v", host, known, named, want)
		}
	}
	w.Remove(r.Name)
	if got := w.get(t, "/"); got.status != 404 {
		t.Errorf("a removed service answers %d", got.status)
	}
	if e := w.last(t, 5); len(w.entries) != 5 || e.Revision != "hello-2" {
		t.Errorf("%d entries, the last %+v: want those of the service alone", len(w.entries), e)
	}
}

// contract: ING-1
func TestInternalServicesAreForInternalListeners(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	r := public(poolOf(app(t, says("inner"))))
	r.Internal = true
	w.Set(r)
	if got := w.get(t, "/"); got.status != 404 || !strings.Contains(got.body, "Error: Page not found") {
		t.Errorf("from outside: %+v", got)
	}
	w.addr = w.listen(t, ListenerConfig{Internal: func(net.Addr) bool { return true }})
	if got := w.get(t, "/"); got.status != 200 {
		t.Errorf("from inside: %+v", got)
	}
}

// contract: DIS-1, ERR-503
func TestServicesThatCannotServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	r := public(poolOf())
	r.Disabled = true
	w.Set(r)
	if got := w.get(t, "/"); got.status != 503 || !strings.Contains(got.body, "<h2>Service is disabled</h2>") {
		t.Errorf("disabled: %+v", got)
	}
	r = public(poolOf())
	r.Splits = nil
	w.Set(r)
	if got := w.get(t, "/"); got.status != 503 || !strings.Contains(got.body, "not available yet") {
		t.Errorf("without a ready revision: %+v", got)
	}
	if e := w.last(t, 2); e.Severity != "ERROR" || e.Service != r.Name || e.Text == "" {
		t.Errorf("recorded %+v", e)
	}
}

// contract: TR-7
func TestTrafficIsSplitPerRequest(t *testing.T) {
	t.Parallel()
	var splits []Split
	for _, percent := range []int{50, 30, 15, 5} {
		splits = append(splits, Split{Target: &Target{}, Percent: percent})
	}
	e := newTable([]*Route{{Hosts: []string{"h"}, Splits: splits}}).find("h")
	const n = 20000
	got := map[*Target]float64{}
	for range n {
		got[e.pick()]++
	}
	chi := 0.0
	for _, s := range splits {
		want := float64(n * s.Percent / 100)
		chi += (got[s.Target] - want) * (got[s.Target] - want) / want
	}
	// Three degrees of freedom: one run in 100,000 exceeds 26.
	if chi > 26 {
		t.Errorf("chi-square is %.1f of %v", chi, got)
	}
}

// contract: TR-6, REQ-6
func TestChangingRoutesDropsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	entered, leave := make(chan struct{}), make(chan struct{})
	old := public(poolOf(app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			close(entered)
			<-leave
		}
		_, _ = io.WriteString(w, "old")
	})))
	fresh := public(poolOf(app(t, says("new"))))
	w.Set(old)
	long := make(chan reply)
	go func() { long <- w.get(t, "/long") }()
	<-entered
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if got := w.get(t, "/"); got.status != 200 {
						t.Errorf("got %+v", got)
					}
				}
			}
		})
	}
	for i := range 300 {
		w.Set([]*Route{fresh, old}[i%2])
	}
	w.Set(fresh)
	close(stop)
	all.Wait()
	if got := w.get(t, "/"); got.body != "new /" {
		t.Errorf("a new request got %q", got.body)
	}
	close(leave)
	if got := <-long; got.status != 200 || got.body != "old" {
		t.Errorf("the request under way got %+v", got)
	}
}

// contract: TR-6
func TestWhoWaitsForARevisionThatIsGivenUpGoesToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	waits := make(chan struct{}, 1)
	empty := NewPool(PoolConfig{Demand: func() { waits <- struct{}{} }})
	w.Set(public(empty))
	got := make(chan reply)
	go func() { got <- w.get(t, "/") }()
	<-waits
	w.Set(public(poolOf(app(t, says("new")))))
	empty.Reject(ErrEnded)
	if r := <-got; r.status != 200 || r.body != "new /" {
		t.Errorf("got %+v", r)
	}
}

// contract: AFF-1, NET-8
func TestAffinityKeepsAClientOnItsInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	cookie := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public")
	}
	pool := poolOf(app(t, cookie), app(t, cookie), app(t, cookie))
	r := public(pool)
	other := &Target{Revision: "hello-2", Pool: NewPool(PoolConfig{Revision: "hello-2"}), Affinity: true}
	other.Pool.Add(Backend{ID: "y", PublicID: "public-y", Addr: app(t, cookie), Concurrency: 1})
	r.Splits[0].Target.Affinity = true
	r.Splits = []Split{{r.Splits[0].Target, 50}, {other, 50}}
	w.Set(r)
	var crumb string
	n := 0
	get := func() (*Entry, bool) {
		n++
		got := w.get(t, "/", "Cookie", crumb)
		set := got.header.Values("Set-Cookie")
		if want := []string{"public", "private"}[len(set)]; got.header.Get("Cache-Control") != want {
			t.Errorf("with %d cookies the answer is %q", len(set), got.header.Get("Cache-Control"))
		}
		if len(set) == 0 {
			return w.last(t, n), false
		}
		value, rest, _ := strings.Cut(set[0], ";")
		crumb = value
		if rest != " Path=/; Max-Age=2592000; HttpOnly" || strings.Contains(value, "public") {
			t.Errorf("the cookie is %q", set[0])
		}
		return w.last(t, n), true
	}
	first, set := get()
	if !set {
		t.Fatal("no cookie")
	}
	for range 20 {
		e, set := get()
		if set || e.Revision != first.Revision || e.Instance != first.Instance {
			t.Fatalf("went from %s %s to %s %s", first.Revision, first.Instance, e.Revision, e.Instance)
		}
	}
	of := other.Pool
	if first.Revision == "hello-1" {
		of = pool
	}
	of.Remove(strings.TrimPrefix(first.Instance, "public-"), ErrEnded)
	other.Pool.Add(Backend{ID: "z", PublicID: "public-z", Addr: app(t, cookie), Concurrency: 1})
	if e, set := get(); !set || e.Instance == first.Instance && e.Revision == first.Revision {
		t.Errorf("after its end: cookie %v, instance %s", set, e.Instance)
	}
}

// contract: NET-11
func TestListenersOfEveryKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	w.Set(public(poolOf(app(t, says("app")))))
	for _, c := range []struct {
		name  string
		h2    bool
		proto string
	}{{"http1", false, "HTTP/1.1"}, {"h2c", true, "HTTP/2.0"}} {
		p := new(http.Protocols)
		p.SetHTTP1(!c.h2)
		p.SetUnencryptedHTTP2(c.h2)
		transport := &http.Transport{Protocols: p}
		r, _ := http.NewRequest("GET", "http://"+w.addr+"/", nil)
		r.Host = "hello.run.localhost"
		in, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(in.Body)
		in.Body.Close()
		if in.Proto != c.proto || string(body) != "app /" {
			t.Errorf("%s: %s %q", c.name, in.Proto, body)
		}
		transport.CloseIdleConnections()
	}
	if e := w.last(t, 2); e.Protocol != "HTTP/2.0" || e.URL != "http://hello.run.localhost/" {
		t.Errorf("recorded %+v", e)
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	w.Set(public(poolOf(app(t, func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	}))))
	got := make(chan reply)
	go func() { got <- w.get(t, "/") }()
	<-entered
	done := make(chan error)
	go func() { done <- w.Shutdown(context.Background()) }()
	select {
	case err := <-done:
		t.Fatalf("shut down with a request under way: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if r := <-got; r.status != 200 {
		t.Errorf("the request under way got %+v", r)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
