package integration

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// contract: LIFE-7, LIFE-8, LIFE-12, LIFE-14, SC-2
// An instance is told to go, and killed when it has not gone in ten seconds.
func TestInstancesAreToldToGo(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("polite", "--cpu", "0.3").exits(0)
	d.get("polite", "/").is(h, 200)
	polite := d.pids()
	if took := d.stopping("polite", polite); took > 9*time.Second {
		t.Errorf("who goes when told is there for %v", took)
	}
	d.says("polite", "Shutting down user disabled instance", "told to go", "gone")

	d.deploy("stubborn", "--cpu", "0.3", "--set-env-vars", "IGNORE_TERM=1").exits(0)
	d.cli("deploy", "deaf", "--image", h.shell(), "--allow-unauthenticated", "--cpu", "0.3", "--memory", "128Mi",
		"--args", "^\x01^exec httpd -f -p $PORT -h /etc").exits(0)
	d.get("stubborn", "/").is(h, 200)
	d.get("deaf", "/nosuch").is(h, 404)
	all := d.pids()
	if len(all) < 2 {
		t.Fatalf("processes: %v", all)
	}
	var stopping sync.WaitGroup
	for _, name := range []string{"stubborn", "deaf"} {
		stopping.Go(func() {
			if took := d.stopping(name, all); took < 10*time.Second {
				t.Errorf("%s: killed after %v", name, took)
			}
		})
	}
	stopping.Wait()
	d.says("stubborn", "told to go")
	if log := d.said("stubborn"); strings.Contains(log, "gone") {
		t.Errorf("it has gone by itself:\n%s", clip(log))
	}
}

// stopping has a service without instances, and tells how long it takes until
// none of these processes is there any more.
func (d *daemon) stopping(service string, pids map[string]bool) time.Duration {
	d.h.Helper()
	begin := time.Now()
	update := d.h.startWith(d.own, "services", "update", service, "--scaling", "0")
	defer func() { update.wait().exits(0) }()
	d.eventually("the instances of "+service+" end", func() bool {
		for pid := range pids {
			if isHere(pid) {
				return false
			}
		}
		return true
	})
	return time.Since(begin)
}

// contract: REQ-6, LIFE-9, SC-2
// Requests are answered to their end where their revision loses its traffic,
// its service is switched off, or is deleted.
func TestRequestsUnderWayAreFinished(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("moving", "--cpu", "0.5", "--concurrency", "1", "--max-instances", "2", "--set-env-vars", "IS=old").exits(0)
	const while = "/sleep?for=6s"
	open := d.beginGet("moving", while)
	d.deploy("moving", "--set-env-vars", "IS=new").exits(0)
	d.get("moving", "/env").is(h, 200, `"IS":"new"`)
	if open.isOver() {
		t.Error("the request is over before the traffic has moved")
	}
	open.wait().is(h, 200, "slept")

	for _, end := range [][]string{{"update", "moving", "--scaling", "0"}, {"delete", "moving", "--quiet"}} {
		open := d.beginGet("moving", while)
		d.says("moving", "") // what it says is not of interest, but takes a moment
		d.cli(append([]string{"services"}, end...)...).exits(0)
		if end[0] == "update" {
			d.get("moving", "/").is(h, 503, "Service is disabled")
			open.wait().is(h, 200, "slept")
			d.cli("services", "update", "moving", "--scaling", "auto").exits(0)
			d.get("moving", "/").is(h, 200)
			continue
		}
		d.get("moving", "/").is(h, 404)
		open.wait().is(h, 200, "slept")
	}
	d.eventually("no process is left", func() bool { return len(d.pids()) == 0 })
}

// contract: REQ-1, REQ-2, ERR-504
// A request has its time, from its arrival on; the handler goes on all the same.
func TestRequestTimeout(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("late", "--timeout", "2s", "--no-cpu-throttling").exits(0)
	before, boot := d.self("late")
	a := d.get("late", "/sleep?for=3s&stubborn=1").is(h, 504, "upstream request timeout")
	if a.took < 2*time.Second {
		t.Errorf("given up after %v", a.took)
	}
	d.says("late", "The request has been terminated because it has reached the maximum request timeout.", "the client has gone", "slept")
	if now, same := d.self("late"); now != before || same != boot {
		t.Errorf("another instance answers: %s, was %s", now, before)
	}

	// The start of the instance counts.
	d.deploy("slow", "--timeout", "2s", "--set-env-vars", "START_DELAY=6s").exits(0)
	d.cli("services", "update", "slow", "--scaling", "0").exits(0)
	d.cli("services", "update", "slow", "--scaling", "auto").exits(0)
	a = d.get("slow", "/").is(h, 504, "upstream request timeout")
	if a.took < 2*time.Second || a.took > 6*time.Second {
		t.Errorf("given up after %v", a.took)
	}
}
