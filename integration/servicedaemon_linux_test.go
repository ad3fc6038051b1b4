package integration

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// steady is a client that asks on and on.
type steady struct {
	answers atomic.Int64

	mu sync.Mutex
	// failures are requests without a good answer; guarded by mu.
	failures []failure
}

// failure is a request that has failed, from when to when.
type failure struct {
	begin, end time.Time
	what       answer
}

// steadily has so many clients ask a service until stop is called, each request
// by a connection of its own.
func (d *daemon) steadily(clients int, service, path string) (s *steady, stop func()) {
	d.h.Helper()
	s = new(steady)
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range clients {
		client := d.requests()
		client.Transport.(*http.Transport).DisableKeepAlives = true
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				begin := time.Now()
				a := d.ask(client, http.MethodGet, service, path, nil)
				if a.err == nil && a.code == http.StatusOK {
					s.answers.Add(1)
					continue
				}
				s.mu.Lock()
				s.failures = append(s.failures, failure{begin, time.Now(), a})
				s.mu.Unlock()
			}
		})
	}
	stop = sync.OnceFunc(func() {
		close(done)
		asking.Wait()
	})
	d.h.Cleanup(stop)
	return s, stop
}

// contract: LIFE-4, REQ-6
// Requests come in while the daemon is killed: only those that it has had by then
// may fail. The instance is the same afterwards.
func TestDaemonIsKilledUnderLoad(t *testing.T) {
	hostOnly(t, "the load would last too long")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("on", "--cpu", "0.5", "--concurrency", "1", "--min-instances", "1", "--max-instances", "1", "--no-cpu-boost").exits(0)
	instance, boot := d.self("on")
	s, stop := d.steadily(4, "on", "/sleep?for=5ms")
	type life struct{ begin, end time.Time }
	var kills []life
	for range 3 {
		n := s.answers.Load()
		d.eventually("requests are answered", func() bool { return s.answers.Load() > n+50 })
		killed := life{begin: time.Now()}
		d.kill()
		killed.end = time.Now()
		kills = append(kills, killed)
		d.start()
	}
	n := s.answers.Load()
	d.eventually("requests are answered", func() bool { return s.answers.Load() > n+50 })
	stop()
	t.Logf("%d answers, %d failures", s.answers.Load(), len(s.failures))
	for _, f := range s.failures {
		inside := false
		for _, k := range kills {
			inside = inside || f.begin.Before(k.end) && f.end.After(k.begin)
		}
		if !inside || errors.Is(f.what.err, syscall.ECONNREFUSED) || f.what.err == nil {
			t.Errorf("a request from %v to %v failed: %d %v %s", f.begin, f.end, f.what.code, f.what.err, clip(f.what.body))
		}
	}
	if again, same := d.self("on"); again != instance || same != boot {
		t.Errorf("another instance answers: %s, was %s", again, instance)
	}
}

// A shim that is killed takes its instances along. Others are started.
func TestShimIsKilledUnderServices(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("kept", "--cpu", "0.3", "--min-instances", "1").exits(0)
	d.deploy("zero", "--cpu", "0.3").exits(0)
	kept, _ := d.self("kept")
	zero, _ := d.self("zero")
	pids := d.pids()
	h.kill(d.process.shim())
	d.eventually("the processes end", func() bool {
		for pid := range pids {
			if isHere(pid) {
				return false
			}
		}
		return true
	})
	if d.process.ended() {
		d.process.wait()
		d.start()
	}
	d.replaced("kept", kept)
	d.replaced("zero", zero)
	d.deploy("next", "--cpu", "0.3").exits(0)
	d.get("next", "/").is(h, 200)
}

// Jobs and services share the host: a job waits until a service has given back
// the memory that it needs.
func TestJobsAndServicesShareTheMemory(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "capacity: {memory: 600Mi}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := h.serveRequests("--config", config)
	d.deploy("held", "--cpu", "0.1", "--memory", "512Mi", "--min-instances", "1").exits(0)
	ctx := h.limit(3 * patience())
	d.createJob(ctx, "wants", single(h, "echo here"))
	x := d.begin(ctx, "wants")
	<-time.After(3 * time.Second)
	if text := d.logs(x); text != "" {
		t.Errorf("the job runs beside a service that has the memory: %q", text)
	}
	d.get("held", "/").is(h, 200)
	d.cli("services", "update", "held", "--scaling", "0").exits(0)
	if x := d.completed(ctx, x.GetName()); x.GetSucceededCount() != 1 {
		t.Errorf("the execution counts %v", x)
	}
	d.cli("services", "update", "held", "--scaling", "auto").exits(0)
	d.get("held", "/").is(h, 200)
}
