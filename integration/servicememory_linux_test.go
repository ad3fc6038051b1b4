package integration

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
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
	d := h.serveRequests()
	d.deploy("calm", "--cpu", "0.5", "--min-instances", "1").exits(0)
	calm, _ := d.self("calm")
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		client := d.requests()
		for {
			select {
			case <-done:
				return
			default:
				d.ask(client, http.MethodGet, "calm", "/", nil).is(h, 200)
			}
		}
	})
	d.deploy("greedy", "--memory", "128Mi", "--max-instances", "1").exits(0)
	for _, c := range []string{"/memory?mib=400", "/write?path=/fill&mib=400", "/write?path=/tmp/fill&mib=400"} {
		before, _ := d.self("greedy")
		open := d.beginGet("greedy", "/sleep?for=1h")
		d.eventually("two requests are there", func() bool { return d.number("greedy", "/now") == 2 })
		d.get("greedy", c).is(h, 500, "The server encountered an error")
		open.wait().is(h, 500, "The server encountered an error")
		d.replaced("greedy", before)
	}
	close(done)
	asking.Wait()
	d.says("greedy", memoryLog, "Memory limit of 128 MiB exceeded with 1")
	if log := d.said("greedy"); strings.Count(log, memoryLog) < 6 {
		t.Errorf("six requests ended so:\n%s", clip(log))
	}
	if now, _ := d.self("calm"); now != calm {
		t.Errorf("the other service has another instance: %s, was %s", now, calm)
	}
}

// contract: MEM-1, MEM-2, MEM-3, FS-1, FS-3, FS-4
// What an instance writes is memory of its own, and goes with it.
func TestFilesOfAnInstanceAreItsMemory(t *testing.T) {
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("files", "--concurrency", "1", "--max-instances", "2", "--memory", "200Mi", "--cpu", "1").exits(0)
	d.get("files", "/write?path=/x&mib=1").is(h, 200, "<nil>")
	before := d.usage()
	d.get("files", "/write?path=/big&mib=100").is(h, 200, "<nil>")
	if grown := d.usage() - before; grown < 90<<20 || grown > 150<<20 {
		t.Errorf("100 MiB in a file are %d MiB of memory", grown>>20)
	}
	if !d.limits()["209715200"] {
		t.Errorf("limits of memory: %v", d.limits())
	}

	// Another instance, which has to answer while the first one is busy.
	first, _ := d.self("files")
	open := d.beginGet("files", "/sleep?for=1h")
	d.eventually("another instance answers", func() bool {
		a := d.get("files", "/self")
		return a.code == 200 && !strings.HasPrefix(a.body, first)
	})
	d.get("files", "/read?path=/x").is(h, 404)
	open.giveUp()
	open.wait()

	d.cli("services", "update", "files", "--scaling", "0").exits(0)
	d.eventually("no process is left", func() bool { return len(d.pids()) == 0 })
	d.cli("services", "update", "files", "--scaling", "auto").exits(0)
	d.get("files", "/read?path=/x").is(h, 404)
	d.cli("services", "delete", "files", "--quiet").exits(0)

	d.cli("deploy", "sum", "--allow-unauthenticated", "--container", "main", "--image", h.server(), "--port", "8080", "--memory", "128Mi", "--container", "side", "--image", h.server(), "--memory", "150Mi", "--set-env-vars", "SIDE_PORT=9090").exits(0)
	if !d.limits()["291504128"] {
		t.Errorf("128 and 150 MiB are not limited to 278: %v", d.limits())
	}
}

// limits are the limits of memory of what the daemon runs.
func (d *daemon) limits() map[string]bool {
	found := map[string]bool{}
	for _, text := range d.settings("memory.limit_in_bytes", "memory.max") {
		found[text] = true
	}
	return found
}

// usage is the most memory that one of the daemon's instances uses.
func (d *daemon) usage() (most int64) {
	for _, text := range d.settings("memory.usage_in_bytes", "memory.current") {
		var n int64
		if _, err := fmt.Sscan(text, &n); err == nil {
			most = max(most, n)
		}
	}
	return most
}
