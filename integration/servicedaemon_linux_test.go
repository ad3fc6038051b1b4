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

	"runnel/integration/rig"
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
	what       rig.Answer
}

// steadily has so many clients ask a service until stop is called, each request
// by a connection of its own.
func steadily(d *rig.Daemon, clients int, service, path string) (s *steady, stop func()) {
	d.Host.Helper()
	s = new(steady)
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range clients {
		client := d.Requests()
		client.Transport.(*http.Transport).DisableKeepAlives = true
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				begin := time.Now()
				a := d.Ask(client, http.MethodGet, service, path, nil)
				if a.Err == nil && a.Code == http.StatusOK {
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
	d.Host.Cleanup(stop)
	return s, stop
}

// contract: LIFE-4, REQ-6
// Requests come in while the daemon is killed: only those that it has had by then
// may fail. The instance is the same afterwards.
func TestDaemonIsKilledUnderLoad(t *testing.T) {
	rig.HostOnly(t, "the load would last too long")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("on", "--cpu", "0.5", "--concurrency", "1", "--min-instances", "1", "--max-instances", "1", "--no-cpu-boost").Exits(0)
	instance, boot := selfOf(d, "on")
	s, stop := steadily(d, 4, "on", "/sleep?for=5ms")
	type life struct{ begin, end time.Time }
	var kills []life
	for range 3 {
		n := s.answers.Load()
		d.Eventually("requests are answered", func() bool { return s.answers.Load() > n+50 })
		killed := life{begin: time.Now()}
		d.Kill()
		killed.end = time.Now()
		kills = append(kills, killed)
		d.Start()
	}
	n := s.answers.Load()
	d.Eventually("requests are answered", func() bool { return s.answers.Load() > n+50 })
	stop()
	t.Logf("%d answers, %d failures", s.answers.Load(), len(s.failures))
	for _, f := range s.failures {
		inside := false
		for _, k := range kills {
			inside = inside || f.begin.Before(k.end) && f.end.After(k.begin)
		}
		if !inside || errors.Is(f.what.Err, syscall.ECONNREFUSED) || f.what.Err == nil {
			t.Errorf("a request from %v to %v failed: %d %v %s", f.begin, f.end, f.what.Code, f.what.Err, rig.Clip(f.what.Body))
		}
	}
	if again, same := selfOf(d, "on"); again != instance || same != boot {
		t.Errorf("another instance answers: %s, was %s", again, instance)
	}
}

// A shim that is killed takes its instances along. Others are started.
func TestShimIsKilledUnderServices(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("kept", "--cpu", "0.3", "--min-instances", "1").Exits(0)
	d.Deploy("zero", "--cpu", "0.3").Exits(0)
	kept, _ := selfOf(d, "kept")
	zero, _ := selfOf(d, "zero")
	pids := pidsOf(d)
	h.Kill(d.Process.Shim())
	d.Eventually("the processes end", func() bool {
		for pid := range pids {
			if isHere(pid) {
				return false
			}
		}
		return true
	})
	if d.Process.Ended() {
		d.Process.Wait()
		d.Start()
	}
	replacedBy(d, "kept", kept)
	replacedBy(d, "zero", zero)
	d.Deploy("next", "--cpu", "0.3").Exits(0)
	d.Get("next", "/").Is(h, 200)
}

// Jobs and services share the host: a job waits until a service has given back
// the memory that it needs.
func TestJobsAndServicesShareTheMemory(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "capacity: {memory: 600Mi}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := h.ServeRequests("--config", config)
	d.Deploy("held", "--cpu", "0.1", "--memory", "512Mi", "--min-instances", "1").Exits(0)
	ctx := h.Limit(3 * rig.Patience())
	createJob(d, ctx, "wants", single(h, "echo here"))
	x := d.Begin(ctx, "wants")
	<-time.After(3 * time.Second)
	if text := d.Logs(x); text != "" {
		t.Errorf("the job runs beside a service that has the memory: %q", text)
	}
	d.Get("held", "/").Is(h, 200)
	d.CLI("services", "update", "held", "--scaling", "0").Exits(0)
	if x := completedOf(d, ctx, x.GetName()); x.GetSucceededCount() != 1 {
		t.Errorf("the execution counts %v", x)
	}
	d.CLI("services", "update", "held", "--scaling", "auto").Exits(0)
	d.Get("held", "/").Is(h, 200)
}
