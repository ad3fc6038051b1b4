package contract

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// heldAlone deploys a service whose only instance takes one request at a time, and
// has that busy.
func heldAlone(t *testing.T, d *rig.Daemon, as string, flags ...string) *rig.Held {
	t.Helper()
	return d.Hold(serveAs(d, as, append([]string{"--concurrency", "1", "--max-instances", "1"}, flags...)...))
}

// contract: SC-8
func TestSC8RequestsWaitTenSecondsOrSeveralStarts(t *testing.T) {
	d := daemon(t)
	quick, slow := nameOf(t), nameOf(t, "slow")
	first := heldAlone(t, d, quick)
	heldAlone(t, d, slow, "--set-env-vars", "START_DELAY=5s")
	given := []*rig.Begun{d.BeginGet(quick, "/"), d.BeginGet(slow, "/")}
	for n, least := range []time.Duration{10 * time.Second, 17500 * time.Millisecond} { // 3.5 times 5 s
		if a := given[n].Wait().Is(d.Host, 429); a.Took < least || a.Took > 6*least {
			t.Errorf("given up after %v, want %v", a.Took, least)
		}
	}
	last := d.BeginGet(quick, "/") // who sees a turn come in time has it
	first.Finish().Is(d.Host, 200)
	last.Wait().Is(d.Host, 200)
}

// contract: SC-9
func TestSC9WhoWaitsInVainIsToldRateExceeded(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	heldAlone(t, d, name)
	if a := d.Get(name, "/").Is(d.Host, 429); a.Body != "Rate exceeded." {
		t.Errorf("the body is %q", a.Body)
	}
	d.Until("the log has it as a warning", func() bool {
		return d.CLI("services", "logs", name, "--log-filter", "httpRequest.status=429", "--format", "value(severity)").Stdout == "WARNING\n"
	})
	d.Says(name, "The request was aborted because there was no available instance.")
}

// contract: SC-10
func TestSC10WhereInstancesDoNotStartRequestsGet500(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	goes(d, name)
	d.CLI("deploy", name, "--image", d.Host.Shell(), "--args", "^\x01^exit 7", "--allow-unauthenticated",
		"--cpu", "0.2", "--memory", "128Mi", "--no-deploy-health-check").Exits(0)
	d.Get(name, "/").Is(d.Host, 500, "The server encountered an error")
	d.Says(name, "The request was aborted because there was no available instance.", "Container called exit(7).")
}

// contract: SC-16
func TestSC16TheQueueIsInOrderAndNotForEver(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	held := heldAlone(t, d, name)
	d.Get(name, "/").Is(d.Host, 429)
	var queue []*rig.Begun
	for range 5 {
		queue = append(queue, d.BeginGet(name, "/most"))
		<-time.After(rig.Patience() / 240)
	}
	held.Finish().Is(d.Host, 200)
	before := 0
	for n, b := range queue {
		words := strings.Fields(b.Wait().Is(d.Host, 200).Body)
		if len(words) != 2 || words[0] != "1" {
			t.Fatalf("request %d: %q, want to be alone", n, words)
		}
		seen, err := strconv.Atoi(words[1])
		if err != nil || seen <= before {
			t.Errorf("request %d was the one seen as number %d, the one before it as %d", n, seen, before)
		}
		before = seen
	}
}
