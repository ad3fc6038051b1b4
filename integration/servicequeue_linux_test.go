package integration

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/integration/rig"
)

// contract: SC-8, SC-9, SC-11, ERR-429
// Where no more instances may be, a request waits for ten seconds and is refused.
func TestQueueEndsWithRateExceeded(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("narrow", "--concurrency", "1", "--max-instances", "1", "--cpu", "0.5", "--no-cpu-boost").Exits(0)
	open := occupy(d, "narrow", "/sleep?for=1h", "50000")
	var waiting sync.WaitGroup
	for range 5 {
		waiting.Go(func() {
			a := d.Get("narrow", "/").Is(h, 429)
			if a.Body != "Rate exceeded." || a.Took < 10*time.Second {
				t.Errorf("%q after %v", a.Body, a.Took)
			}
		})
	}
	// One that is patient enough to see its turn come.
	waiting.Wait()
	last := beginGet(d, "narrow", "/")
	<-time.After(time.Second)
	if last.isOver() {
		t.Error("answered by an instance that was busy")
	}
	open.giveUp()
	last.wait().Is(h, 200)
	tells(d, "narrow", noneLog)
	severe := d.CLI("services", "logs", "narrow", "--log-filter", "httpRequest.status=429", "--format", "value(severity)").Exits(0).Stdout
	if strings.TrimSpace(severe) != strings.TrimSpace(strings.Repeat("WARNING\n", 5)) {
		t.Errorf("severities %q", severe)
	}
}

// contract: SC-16, REQ-5
// First come, first served.
func TestQueueIsInOrder(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("row", "--concurrency", "1", "--max-instances", "1", "--cpu", "0.5", "--no-cpu-boost").Exits(0)
	open := occupy(d, "row", "/sleep?for=6s", "50000")
	var queue []*begun
	for range 12 {
		queue = append(queue, beginGet(d, "row", "/most"))
		<-time.After(250 * time.Millisecond)
	}
	open.wait().Is(h, 200)
	before := 0
	for n, b := range queue {
		words := strings.Fields(b.wait().Is(h, 200).Body)
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
func occupy(d *rig.Daemon, service, path, quota string) *begun {
	d.Host.Helper()
	d.Eventually("the instance is idle", func() bool { return quotasOf(d)["1000"] })
	b := beginGet(d, service, path)
	d.Eventually("the instance is busy", func() bool { return quotasOf(d)[quota] })
	return b
}
