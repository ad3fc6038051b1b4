package integration

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// contract: SC-8, SC-9, SC-11, ERR-429
// Where no more instances may be, a request waits for ten seconds and is refused.
func TestQueueEndsWithRateExceeded(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("narrow", "--concurrency", "1", "--max-instances", "1", "--cpu", "0.5", "--no-cpu-boost").exits(0)
	open := d.occupy("narrow", "/sleep?for=1h", "50000")
	var waiting sync.WaitGroup
	for range 5 {
		waiting.Go(func() {
			a := d.get("narrow", "/").is(h, 429)
			if a.body != "Rate exceeded." || a.took < 10*time.Second {
				t.Errorf("%q after %v", a.body, a.took)
			}
		})
	}
	// One that is patient enough to see its turn come.
	waiting.Wait()
	last := d.beginGet("narrow", "/")
	<-time.After(time.Second)
	open.giveUp()
	if a := last.wait().is(h, 200); a.took < time.Second {
		t.Errorf("answered after %v by an instance that was busy", a.took)
	}
	d.says("narrow", noneLog)
	severe := d.cli("services", "logs", "narrow", "--log-filter", "httpRequest.status=429", "--format", "value(severity)").exits(0).stdout
	if strings.TrimSpace(severe) != strings.TrimSpace(strings.Repeat("WARNING\n", 5)) {
		t.Errorf("severities %q", severe)
	}
}

// contract: SC-16, REQ-5
// First come, first served.
func TestQueueIsInOrder(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("row", "--concurrency", "1", "--max-instances", "1", "--cpu", "0.5", "--no-cpu-boost").exits(0)
	open := d.occupy("row", "/sleep?for=6s", "50000")
	var queue []*begun
	for range 12 {
		queue = append(queue, d.beginGet("row", "/most"))
		<-time.After(250 * time.Millisecond)
	}
	open.wait().is(h, 200)
	before := 0
	for n, b := range queue {
		words := strings.Fields(b.wait().is(h, 200).body)
		if len(words) != 2 || words[0] != "1" {
			t.Fatalf("request %d: %q", n, words)
		}
		seen, _ := strconv.Atoi(words[1])
		if seen <= before {
			t.Errorf("request %d was the one seen as number %d, the one before it as %d", n, seen, before)
		}
		before = seen
	}
}

// occupy begins a request to the only instance of the daemon, which has that
// quota of CPU while it has one, and returns when it has got there.
func (d *daemon) occupy(service, path, quota string) *begun {
	d.h.Helper()
	d.eventually("the instance is idle", func() bool { return d.quotas()["1000"] })
	b := d.beginGet(service, path)
	d.eventually("the instance is busy", func() bool { return d.quotas()[quota] })
	return b
}
