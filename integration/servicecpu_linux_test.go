package integration

import (
	"fmt"
	"testing"
	"time"

	"runnel/integration/rig"
)

// counting is how long a test counts what an instance does.
const counting = 3 * time.Second

// contract: CPU-5, CPU-6, CPU-7
// Between requests an instance has next to no CPU, in none of its containers,
// unless the service says otherwise.
func TestCPUBetweenRequests(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	flags := func(name string, more ...string) []string {
		return append(append([]string{"deploy", name, "--allow-unauthenticated", "--no-cpu-boost"}, more...),
			"--container", "main", "--image", h.Server(), "--port", "8080", "--cpu", "0.5", "--memory", "128Mi", "--concurrency", "1", "--max-instances", "1", "--set-env-vars", "SPIN=1",
			"--container", "side", "--image", h.Server(), "--cpu", "0.5", "--memory", "128Mi", "--set-env-vars", "SPIN=1,SIDE_PORT=9090")
	}
	for _, c := range []struct {
		name, flag string
		stops      bool
	}{{"paid", "--cpu-throttling", true}, {"always", "--no-cpu-throttling", false}} {
		d.CLI(flags(c.name, c.flag)...).Exits(0)
		d.Eventually("the container beside it listens", func() bool { return d.Get(c.name, sideCount).Code == 200 })
		if c.stops {
			d.Eventually("the quota is the least between requests", func() bool { return quotasOf(d)["1000"] })
		}
		main, side := turns(d, c.name)
		<-time.After(counting)
		mainIdle, sideIdle := turns(d, c.name)
		d.Get(c.name, fmt.Sprintf("/sleep?for=%v", counting)).Is(h, 200)
		mainBusy, sideBusy := turns(d, c.name)
		for of, n := range map[string][2]int64{
			"main": {mainIdle - main, mainBusy - mainIdle}, "side": {sideIdle - side, sideBusy - sideIdle},
		} {
			idle, busy := n[0], n[1]
			t.Logf("%s/%s: %d turns while idle, %d with a request", c.name, of, idle, busy)
			if stopped := idle < busy/3; busy == 0 || stopped != c.stops {
				t.Errorf("%s/%s: %d turns while idle, %d with a request", c.name, of, idle, busy)
			}
		}
		d.CLI("services", "delete", c.name, "--quiet").Exits(0)
	}
}

// sideCount asks the one container for what SPIN has counted in the other, which
// nobody waits for when the instance starts.
const sideCount = "/fetch?url=http://localhost:9090/count"

// turns is what SPIN has counted in the two containers of a service's instance.
func turns(d *rig.Daemon, service string) (main, side int64) {
	d.Host.Helper()
	var beside struct{ Body string }
	d.Get(service, sideCount).Is(d.Host, 200).Decode(d.Host, &beside)
	if _, err := fmt.Sscan(beside.Body, &side); err != nil {
		d.Host.Fatal(err)
	}
	return numberAt(d, service, "/count"), side
}

// contract: CPU-1, CPU-5, CPU-8, LIFE-2
// While it starts, and for ten seconds more, an instance may have more CPU.
func TestStartupBoost(t *testing.T) {
	rig.HostOnly(t, "it waits for the boost to end")
	h := openHost(t)
	d := h.ServeRequests()
	const delay = 3 * time.Second
	begin := time.Now()
	deployed := h.StartWith(d.Lead, "deploy", "quick", "--image", h.Server(), "--allow-unauthenticated", "--memory", "128Mi",
		"--cpu-boost", "--set-env-vars", "START_DELAY="+delay.String())
	d.Eventually("the quota is doubled", func() bool { return quotasOf(d)["200000"] })
	deployed.Wait().Exits(0)
	d.Eventually("the quota is the least", func() bool { return quotasOf(d)["1000"] })
	if took := time.Since(begin); took < delay+10*time.Second {
		t.Errorf("the boost is over after %v", took)
	}
	open := beginGet(d, "quick", "/sleep?for=1h")
	d.Eventually("the quota is one CPU with a request", func() bool { return quotasOf(d)["100000"] })
	open.giveUp()
	d.Eventually("the quota is the least again", func() bool { return quotasOf(d)["1000"] })
}
