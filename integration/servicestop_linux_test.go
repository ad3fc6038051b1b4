package integration

import (
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/integration/rig"
)

// contract: LIFE-7, LIFE-8, LIFE-12, LIFE-14, SC-2
// An instance is told to go, and killed when it has not gone in ten seconds.
func TestInstancesAreToldToGo(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("polite", "--cpu", "0.3").Exits(0)
	d.Get("polite", "/").Is(h, 200)
	polite := pidsOf(d)
	if took := stoppingOf(d, "polite", polite); took > 9*time.Second {
		t.Errorf("who goes when told is there for %v", took)
	}
	tells(d, "polite", "Shutting down user disabled instance", "told to go", "gone")

	d.Deploy("stubborn", "--cpu", "0.3", "--set-env-vars", "IGNORE_TERM=1").Exits(0)
	d.CLI("deploy", "deaf", "--image", h.Shell(), "--allow-unauthenticated", "--cpu", "0.3", "--memory", "128Mi",
		"--args", "^\x01^exec httpd -f -p $PORT -h /etc").Exits(0)
	d.Get("stubborn", "/").Is(h, 200)
	d.Get("deaf", "/nosuch").Is(h, 404)
	all := pidsOf(d)
	if len(all) < 2 {
		t.Fatalf("processes: %v", all)
	}
	var stopping sync.WaitGroup
	for _, name := range []string{"stubborn", "deaf"} {
		stopping.Go(func() {
			if took := stoppingOf(d, name, all); took < 10*time.Second {
				t.Errorf("%s: killed after %v", name, took)
			}
		})
	}
	stopping.Wait()
	tells(d, "stubborn", "told to go")
	if log := toldBy(d, "stubborn"); strings.Contains(log, "gone") {
		t.Errorf("it has gone by itself:\n%s", rig.Clip(log))
	}
}

// stoppingOf has a service without instances, and tells how long it takes until
// none of these processes is there any more.
func stoppingOf(d *rig.Daemon, service string, pids map[string]bool) time.Duration {
	d.Host.Helper()
	begin := time.Now()
	update := d.Host.StartWith(d.Lead, "services", "update", service, "--scaling", "0")
	defer func() { update.Wait().Exits(0) }()
	d.Eventually("the instances of "+service+" end", func() bool {
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
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("moving", "--cpu", "0.5", "--concurrency", "1", "--max-instances", "2", "--set-env-vars", "IS=old").Exits(0)
	open := d.Hold("moving")
	d.Deploy("moving", "--set-env-vars", "IS=new").Exits(0)
	d.Get("moving", "/env").Is(h, 200, `"IS":"new"`)
	open.Finish().Is(h, 200, "to the end")

	for _, end := range []struct {
		command []string
		code    int
		says    string
	}{
		{[]string{"services", "update", "moving", "--scaling", "0"}, 503, "Service is disabled"},
		{[]string{"services", "delete", "moving", "--quiet"}, 404, ""},
	} {
		open := d.Hold("moving")
		ending := h.StartWith(d.Lead, end.command...) // which may wait for the request
		d.Eventually("new requests go nowhere", func() bool { return d.Get("moving", "/").Code == end.code })
		d.Get("moving", "/").Is(h, end.code, end.says)
		open.Finish().Is(h, 200, "to the end")
		ending.Wait().Exits(0)
		if end.code == 503 {
			d.CLI("services", "update", "moving", "--scaling", "auto").Exits(0)
			d.Get("moving", "/").Is(h, 200)
		}
	}
	d.Eventually("no process is left", func() bool { return len(pidsOf(d)) == 0 })
}

// contract: REQ-1, REQ-2, ERR-504
// A request has its time, from its arrival on; the handler goes on all the same.
func TestRequestTimeout(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("late", "--timeout", "2s", "--no-cpu-throttling").Exits(0)
	before, boot := selfOf(d, "late")
	a := d.Get("late", "/sleep?for=3s&stubborn=1").Is(h, 504, "upstream request timeout")
	if a.Took < 2*time.Second {
		t.Errorf("given up after %v", a.Took)
	}
	tells(d, "late", "The request has been terminated because it has reached the maximum request timeout.", "the client has gone", "slept")
	if now, same := selfOf(d, "late"); now != before || same != boot {
		t.Errorf("another instance answers: %s, was %s", now, before)
	}

	// The start of the instance counts.
	d.Deploy("slow", "--timeout", "2s", "--set-env-vars", "START_DELAY=6s").Exits(0)
	d.CLI("services", "update", "slow", "--scaling", "0").Exits(0)
	d.CLI("services", "update", "slow", "--scaling", "auto").Exits(0)
	a = d.Get("slow", "/").Is(h, 504, "upstream request timeout")
	if a.Took < 2*time.Second || a.Took > 6*time.Second {
		t.Errorf("given up after %v", a.Took)
	}
}
