package contract

import (
	"testing"
	"time"

	"runnel/integration/rig"
)

// spreadOut waits for four starts of a service's instances, which all fail, and
// fails the test unless they come less and less often.
func spreadOut(d *rig.Daemon, name string) {
	d.Host.Helper()
	var starts []time.Time
	d.Until(name+" has been started four times", func() bool {
		starts = d.When(name, "Starting new instance.")
		return len(starts) >= 4
	})
	for n, least := range []time.Duration{0, 1500 * time.Millisecond, 3 * time.Second} {
		if pause := starts[n+1].Sub(starts[n]); pause < least {
			d.Host.Errorf("%v between starts %d and %d, want %v and more", pause, n+1, n+2, least)
		}
	}
}

// bothFail begins a request that does not end by itself, sends another, which
// ends its instance, and fails the test unless both have a status.
func bothFail(d *rig.Daemon, name, path string, code int, page string) {
	d.Host.Helper()
	open := d.BeginGet(name, "/sleep?for=1h")
	d.Until("two requests are there", func() bool { return d.Number(name, "/now") >= 2 })
	d.Get(name, path).Is(d.Host, code, page)
	open.Wait().Is(d.Host, code, page)
}

// contract: LIFE-10
func TestLIFE10MemoryAboveTheSumEndsTheInstance(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	goes(d, name)
	d.CLI(withSide(d, name, nil, []string{"--set-env-vars", "SIDE_PORT=9090"})...).Exits(0)
	besideListens(d, name)
	before, _ := d.Self(name)
	both := d.Started(name)
	bothFail(d, name, "/memory?mib=400", 500, "The server encountered an error")
	d.End("the processes of both containers", both)
	d.Replaced(name, before)
	d.Says(name, "Memory limit of 256 MiB exceeded with")
}

// contract: LIFE-13
func TestLIFE13TheEndOfAContainerEndsTheInstance(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	goes(d, name)
	short := serveAs(d, nameOf(t, "short"), "--min-instances", "1", "--no-deploy-health-check", "--set-env-vars", "EXIT_AFTER=300ms")
	d.CLI(withSide(d, name, nil, []string{"--set-env-vars", "SIDE_PORT=9090"})...).Exits(0)
	besideListens(d, name)
	before, _ := d.Self(name)
	both := d.Started(name)
	d.Get(name, "/fetch?url=http://localhost:9090/exit?code=5") // it may or may not have an answer
	d.End("the processes of both containers", both)
	d.Replaced(name, before)
	d.Says(name, "Container called exit(5).")
	spreadOut(d, short)
}

// contract: LIFE-14
func TestLIFE14TheLogSaysWhyInstancesStartAndStop(t *testing.T) {
	d := daemon(t)
	name := serve(t, d)
	d.Says(name, "Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to traffic shifting between revisions due to deployment, traffic split adjustment, or deployment health check.")
	switchOff(d, name)
	d.Says(name, "Shutting down user disabled instance")
	d.CLI("services", "update", name, "--scaling", "auto").Exits(0)
	d.Get(name, "/").Is(d.Host, 200)
	d.Says(name, "Starting new instance. Reason: AUTOSCALING - Instance started due to configured scaling factors (e.g. CPU utilization, request throughput, etc.) or no existing capacity for current traffic.")
	d.CLI("services", "update", name, "--scaling", "2").Exits(0)
	d.Says(name, "Starting new instance. Reason: MANUAL_OR_CUSTOMER_MIN_INSTANCE - Instance started because of customer-configured min-instances or manual scaling.")
	d.Get(name, "/exit?code=3").Is(d.Host, 503)
	d.Says(name, "Container called exit(3).")
}
