package integration

import (
	"fmt"
	"testing"
	"time"
)

// counting is how long a test counts what an instance does.
const counting = 3 * time.Second

// contract: CPU-5, CPU-6, CPU-7
// Between requests an instance has next to no CPU, in none of its containers,
// unless the service says otherwise.
func TestCPUBetweenRequests(t *testing.T) {
	h := openHost(t)
	d := h.serveRequests()
	flags := func(name string, more ...string) []string {
		return append(append([]string{"deploy", name, "--allow-unauthenticated", "--no-cpu-boost"}, more...),
			"--container", "main", "--image", h.server(), "--port", "8080", "--cpu", "0.5", "--memory", "128Mi", "--concurrency", "1", "--max-instances", "1", "--set-env-vars", "SPIN=1",
			"--container", "side", "--image", h.server(), "--cpu", "0.5", "--memory", "128Mi", "--set-env-vars", "SPIN=1,SIDE_PORT=9090")
	}
	for _, c := range []struct {
		name, flag string
		stops      bool
	}{{"paid", "--cpu-throttling", true}, {"always", "--no-cpu-throttling", false}} {
		d.cli(flags(c.name, c.flag)...).exits(0)
		if c.stops {
			d.eventually("the quota is the least between requests", func() bool { return d.quotas()["1000"] })
		}
		main, side := d.turns(c.name)
		<-time.After(counting)
		mainIdle, sideIdle := d.turns(c.name)
		d.get(c.name, fmt.Sprintf("/sleep?for=%v", counting)).is(h, 200)
		mainBusy, sideBusy := d.turns(c.name)
		for of, n := range map[string][2]int64{
			"main": {mainIdle - main, mainBusy - mainIdle}, "side": {sideIdle - side, sideBusy - sideIdle},
		} {
			idle, busy := n[0], n[1]
			t.Logf("%s/%s: %d turns while idle, %d with a request", c.name, of, idle, busy)
			if stopped := idle < busy/3; busy == 0 || stopped != c.stops {
				t.Errorf("%s/%s: %d turns while idle, %d with a request", c.name, of, idle, busy)
			}
		}
		d.cli("services", "delete", c.name, "--quiet").exits(0)
	}
}

// turns is what SPIN has counted in the two containers of a service's instance.
func (d *daemon) turns(service string) (main, side int64) {
	d.h.Helper()
	var beside struct{ Body string }
	d.get(service, "/fetch?url=http://localhost:9090/count").is(d.h, 200).decode(d.h, &beside)
	if _, err := fmt.Sscan(beside.Body, &side); err != nil {
		d.h.Fatal(err)
	}
	return d.number(service, "/count"), side
}

// contract: CPU-1, CPU-5, CPU-8, LIFE-2
// While it starts, and for ten seconds more, an instance may have more CPU.
func TestStartupBoost(t *testing.T) {
	hostOnly(t, "it waits for the boost to end")
	h := openHost(t)
	d := h.serveRequests()
	const delay = 3 * time.Second
	begin := time.Now()
	deployed := h.startWith(d.own, "deploy", "quick", "--image", h.server(), "--allow-unauthenticated", "--memory", "128Mi",
		"--cpu-boost", "--set-env-vars", "START_DELAY="+delay.String())
	d.eventually("the quota is doubled", func() bool { return d.quotas()["200000"] })
	deployed.wait().exits(0)
	d.eventually("the quota is the least", func() bool { return d.quotas()["1000"] })
	if took := time.Since(begin); took < delay+10*time.Second {
		t.Errorf("the boost is over after %v", took)
	}
	open := d.beginGet("quick", "/sleep?for=1h")
	d.eventually("the quota is one CPU with a request", func() bool { return d.quotas()["100000"] })
	open.giveUp()
	d.eventually("the quota is the least again", func() bool { return d.quotas()["1000"] })
}
