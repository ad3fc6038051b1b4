package integration

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
)

const (
	memoryLog = "While handling this request, the container instance was found to be using too much memory and was terminated."
	brokenLog = "The request failed because either the HTTP response was malformed or connection to the instance had an error."
	noneLog   = "The request was aborted because there was no available instance."
)

// contract: LIFE-10, ERR-500a, MEM-1, MEM-3, FS-2
// An instance that uses more than its memory ends with all its requests, is
// replaced, and nobody else notices.
func TestMemoryOfAServiceEndsItsInstance(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("calm", "--cpu", "0.5", "--min-instances", "1").Exits(0)
	calm, _ := selfOf(d, "calm")
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		client := d.Requests()
		for {
			select {
			case <-done:
				return
			default:
				d.Ask(client, http.MethodGet, "calm", "/", nil).Is(h, 200)
			}
		}
	})
	d.Deploy("greedy", "--memory", "128Mi", "--max-instances", "1").Exits(0)
	for _, c := range []string{"/memory?mib=400", "/write?path=/fill&mib=400", "/write?path=/tmp/fill&mib=400"} {
		before, _ := selfOf(d, "greedy")
		open := beginGet(d, "greedy", "/sleep?for=1h")
		d.Eventually("two requests are there", func() bool { return numberAt(d, "greedy", "/now") == 2 })
		d.Get("greedy", c).Is(h, 500, "The server encountered an error")
		open.wait().Is(h, 500, "The server encountered an error")
		replacedBy(d, "greedy", before)
	}
	close(done)
	asking.Wait()
	tells(d, "greedy", memoryLog, "Memory limit of 128 MiB exceeded with 1")
	d.Until("six requests are told to have ended so", func() bool { return strings.Count(toldBy(d, "greedy"), memoryLog) >= 6 })
	if now, _ := selfOf(d, "calm"); now != calm {
		t.Errorf("the other service has another instance: %s, was %s", now, calm)
	}
}

// contract: MEM-1, MEM-2, MEM-3, FS-1, FS-3, FS-4
// What an instance writes is memory of its own, and goes with it.
func TestFilesOfAnInstanceAreItsMemory(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("files", "--concurrency", "1", "--max-instances", "2", "--memory", "200Mi", "--cpu", "1").Exits(0)
	d.Get("files", "/write?path=/x&mib=1").Is(h, 200, "<nil>")
	before := usageOf(d)
	d.Get("files", "/write?path=/big&mib=100").Is(h, 200, "<nil>")
	if grown := usageOf(d) - before; grown < 90<<20 || grown > 150<<20 {
		t.Errorf("100 MiB in a file are %d MiB of memory", grown>>20)
	}
	if !limitsOf(d)["209715200"] {
		t.Errorf("limits of memory: %v", limitsOf(d))
	}

	// Another instance, which has to answer while the first one is busy.
	first, _ := selfOf(d, "files")
	open := beginGet(d, "files", "/sleep?for=1h")
	d.Eventually("another instance answers", func() bool {
		a := d.Get("files", "/self")
		return a.Code == 200 && !strings.HasPrefix(a.Body, first)
	})
	d.Get("files", "/read?path=/x").Is(h, 404)
	open.giveUp()
	open.wait()

	d.CLI("services", "update", "files", "--scaling", "0").Exits(0)
	d.Eventually("no process is left", func() bool { return len(pidsOf(d)) == 0 })
	d.CLI("services", "update", "files", "--scaling", "auto").Exits(0)
	d.Get("files", "/read?path=/x").Is(h, 404)
	d.CLI("services", "delete", "files", "--quiet").Exits(0)

	d.CLI("deploy", "sum", "--allow-unauthenticated", "--container", "main", "--image", h.Server(), "--port", "8080", "--memory", "128Mi", "--container", "side", "--image", h.Server(), "--memory", "150Mi", "--set-env-vars", "SIDE_PORT=9090").Exits(0)
	if !limitsOf(d)["291504128"] {
		t.Errorf("128 and 150 MiB are not limited to 278: %v", limitsOf(d))
	}
}

// limitsOf are the limits of memory of what the daemon runs.
func limitsOf(d *rig.Daemon) map[string]bool {
	found := map[string]bool{}
	for _, text := range settingsOf(d, "memory.limit_in_bytes", "memory.max") {
		found[text] = true
	}
	return found
}

// usageOf is the most memory that one of the daemon's instances uses.
func usageOf(d *rig.Daemon) (most int64) {
	for _, text := range settingsOf(d, "memory.usage_in_bytes", "memory.current") {
		var n int64
		if _, err := fmt.Sscan(text, &n); err == nil {
			most = max(most, n)
		}
	}
	return most
}
