package serving

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/ingress"
	"runnel/probe"
)

// city is a town whose instances listen in earnest, with a door of its own.
type city struct {
	*town
	client *http.Client
	url    string
}

// revision is one whose container listens at the city's port.
func (c *city) revision(name string, change func(*runpb.Revision)) *runpb.Revision {
	return revision(name, func(r *runpb.Revision) {
		r.GetContainers()[0].Ports = []*runpb.ContainerPort{{ContainerPort: int32(c.port)}}
		if change != nil {
			change(r)
		}
	})
}

// freePort is a port that nobody listens at, whatever the address.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// build makes a city. Its instances answer with the path, after waiting for as
// long as its query says.
func build(t testing.TB, s script) *city {
	t.Helper()
	w := newWorld(t, always(s))
	w.port = freePort(t)
	w.handler = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		d, _ := time.ParseDuration(r.URL.Query().Get("wait"))
		if !sleep(r.Context(), d) {
			return
		}
		fmt.Fprint(out, r.URL.Path)
	})
	server := ingress.New(ingress.Config{})
	c := &city{town: settle(w, 20, func(c *Config) { c.Server = server })}
	c.Fleet.listening = probe.Listening
	c.Fleet.probe = New(Config{}).probe
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l, ingress.ListenerConfig{}) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	c.client, c.url = &http.Client{Transport: transport}, "http://"+l.Addr().String()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Shutdown(context.Background())
		<-served
	})
	return c
}

// get sends a request to the test service and tells what came of it.
func (c *city) get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "hello.run.localhost"
	out, err := c.client.Do(r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer out.Body.Close()
	b, _ := io.ReadAll(out.Body)
	return out.StatusCode, string(b)
}

// Requests over real connections, from zero, in a crowd, and across a switch to
// another revision, are all answered.
//
// contract: SC-1, LIFE-3, REQ-6, REV-4
func TestRealRequests(t *testing.T) {
	c := build(t, script{createTakes: 50 * time.Millisecond, listens: []time.Duration{30 * time.Millisecond}})
	old := c.add(t, c.revision("hello-00001-abc", func(r *runpb.Revision) { r.MaxInstanceRequestConcurrency = 4 }), auto(0, 9))
	c.route(old)
	if status, body := c.get(t, "/first"); status != 200 || body != "/first" {
		t.Errorf("%d %q", status, body)
	}
	var work sync.WaitGroup
	var bad atomic.Int32
	stop := make(chan struct{})
	for n := range 8 {
		work.Go(func() {
			for !isOver(stop) {
				if status, body := c.get(t, fmt.Sprintf("/%d?wait=5ms", n)); status != 200 || body != fmt.Sprintf("/%d", n) {
					bad.Add(1)
				}
			}
		})
	}
	second := c.add(t, c.revision("hello-00002-abc", func(r *runpb.Revision) { r.MaxInstanceRequestConcurrency = 4 }), auto(0, 9))
	if err := c.Check(t.Context(), second.plan.name); err != nil {
		t.Error(err)
	}
	c.route(second)
	c.SetScale(old.plan.name, auto(0, 0))
	if err := c.Remove(t.Context(), old.plan.name); err != nil {
		t.Error(err)
	}
	close(stop)
	work.Wait()
	if n := bad.Load(); n > 0 {
		t.Errorf("%d requests were not answered", n)
	}
	if s := c.Status(second.plan.name); s.Ready == 0 {
		t.Errorf("%+v", s)
	}
	c.clearReal(t)
}

// clearReal is clear without a bubble.
func (c *city) clearReal(t *testing.T) {
	t.Helper()
	for _, name := range []string{"hello-00001-abc", "hello-00002-abc"} {
		if err := c.Remove(t.Context(), testService+"/revisions/"+name); err != nil {
			t.Error(err)
		}
	}
	c.Wait()
	if all, _ := c.count(); all != 0 {
		t.Errorf("%d instances are left", all)
	}
}

// BenchmarkFromZero is what is added to the start of an instance by all that is
// between a request and its answer, with a prepared instance that listens at once
// when it is started.
func BenchmarkFromZero(b *testing.B) {
	c := build(b, script{})
	var took []time.Duration
	for b.Loop() {
		l := c.add(b, c.revision("hello-00001-abc", nil), auto(0, 9))
		c.route(l)
		for !l.hasPrepared() {
			<-time.After(time.Millisecond)
		}
		<-time.After(time.Millisecond)
		begun := time.Now()
		c.get(b, "/")
		took = append(took, time.Since(begun))
		_ = c.Remove(context.Background(), l.plan.name)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs/p99")
}
