package integration

import (
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// named gives a container a name, and what it depends on.
func named(name string, c *runpb.Container, after ...string) *runpb.Container {
	c.Name, c.DependsOn = name, after
	return c
}

// contract: WP-3, CPU-6
// Nothing takes CPU from a worker that does nothing.
func TestWorkersKeepTheirCPU(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	w.deployed("calm", pool(1, w.script(forever)))
	w.number(1)
	for end := time.Now().Add(counting); time.Now().Before(end); <-time.After(counting / 30) {
		if q := quotasOf(w.Daemon); len(q) != 1 || !q["100000"] {
			t.Fatalf("the quotas are %v, want that of one CPU", q)
		}
	}
}

// contract: WP-4, DEP-1, HC-10
// All containers have to be well, and what depends on one that is not does not
// start.
func TestWorkersHaveToBeHealthy(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	probe := &runpb.Probe{PeriodSeconds: 2, FailureThreshold: 1, ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: 9090}}}
	a := named("a", w.script("echo a is here; "+forever), "b")
	b := named("b", w.script("echo b is here; "+forever))
	b.StartupProbe = probe
	_, err := w.deploys("mill", pool(1, a, b))
	if err == nil || !strings.Contains(err.Error(), "failed the configured startup probe checks") || strings.Contains(err.Error(), "PORT") {
		t.Errorf("deployed: %v", err)
	}
	p := w.is("mill")
	if p.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_FAILED || p.GetLatestReadyRevision() != "" {
		t.Errorf("%v", p)
	}
	w.number(0)
	log := w.tellsOf("mill", "b is here", `STARTUP TCP probe failed 1 time consecutively for container "b" on port 9090. The instance was not started.`)
	if strings.Contains(log, "a is here") {
		t.Errorf("a has been started:\n%s", rig.Clip(log))
	}

	// What listens is well, and the other one starts after it.
	b = named("b", w.script("sleep 1; echo b listens; exec httpd -f -p 9090 -h /etc"))
	b.StartupProbe = &runpb.Probe{PeriodSeconds: 60, FailureThreshold: 1, ProbeType: probe.GetProbeType()} // it is seen as soon as it listens
	if p := w.deployed("mill", pool(1, a, b)); p.GetLatestReadyRevision() != p.GetLatestCreatedRevision() {
		t.Errorf("%v", p)
	}
	log = w.tellsOf("mill", "a is here", "b listens", `probe succeeded after 1 attempt for container "b" on port 9090`)
	if strings.Index(log, "b listens") > strings.Index(log, "a is here") {
		t.Errorf("a has not waited:\n%s", rig.Clip(log))
	}

	// One that ends at once is not well, whatever its exit code.
	healthy := w.number(2)
	for _, script := range []string{"exit 0", "exit 7", "exec /nosuch"} {
		if _, err := w.deploys("mill", pool(1, a, b, named("c", w.script(script)))); err == nil || !strings.Contains(err.Error(), "Container called exit(") {
			t.Errorf("%s: %v", script, err)
		}
	}
	if now := w.number(2); !sameProcesses(now, healthy) {
		t.Errorf("the processes of the revision before are %v, were %v", now, healthy)
	}
}

// sameProcesses reports whether two sets are the same.
func sameProcesses(a, b map[string]bool) bool {
	for pid := range a {
		if !b[pid] {
			return false
		}
	}
	return len(a) == len(b)
}

// contract: HC-7, HC-9, WP-4
// A worker that is not alive any more is killed and replaced.
func TestLivenessOfWorkers(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	w := serveWorkers(h)
	c := w.script("mkdir /www; echo yes >/www/alive; echo here; (sleep 4; rm /www/alive) & exec httpd -f -p 9090 -h /www")
	c.StartupProbe = &runpb.Probe{PeriodSeconds: 10, ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: 9090}}}
	c.LivenessProbe = &runpb.Probe{PeriodSeconds: 1, FailureThreshold: 2, ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: "/alive", Port: 9090}}}
	w.deployed("mill", pool(1, c))
	w.tellsOf("mill", `LIVENESS HTTP probe failed 2 times consecutively for container "worker" on port 9090 path "/alive". The instance has been shut down.`)
	w.Eventually("another instance is there", func() bool { return len(w.times("mill", "here")) >= 2 })
}

// contract: WP-5, LIFE-7, LIFE-12
// All containers are told to go, and killed ten seconds later.
func TestWorkersAreToldToGo(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	w := serveWorkers(h)
	trap := func(then string) string {
		return "trap 'echo told to go; " + then + "' TERM; while :; do sleep 0.2; done"
	}
	w.deployed("polite", pool(1, w.script(trap("exit 0")), w.script(trap("exit 0"))))
	polite := w.running()
	w.deployed("stubborn", pool(1, w.script(trap(":")), w.script("exec sleep 1000000"))) // one has a handler, the other is deaf
	w.Eventually("all run", func() bool { return len(w.running()) >= len(polite)+2 })
	stubborn := w.running()
	for pid := range polite {
		delete(stubborn, pid)
	}
	var going sync.WaitGroup
	took := map[string]*time.Duration{"polite": new(time.Duration), "stubborn": new(time.Duration)}
	for id, t := range took {
		going.Go(func() {
			begin := time.Now()
			w.scaled(id, 0)
			w.Eventually(id+" is gone", func() bool { return !strings.Contains(strings.Join(w.poolsThatRun(), " "), id) })
			*t = time.Since(begin)
		})
	}
	going.Wait()
	if d := *took["polite"]; d > 9*time.Second {
		t.Errorf("who goes when told is there for %v", d)
	}
	if d := *took["stubborn"]; d < 10*time.Second || d > 20*time.Second {
		t.Errorf("killed after %v", d)
	}
	if n := len(w.times("polite", "told to go")); n != 2 {
		t.Errorf("%d of 2 containers were told", n)
	}
	if n := len(w.times("stubborn", "told to go")); n != 1 {
		t.Errorf("%d of 1 container were told", n)
	}
}

// poolsThatRun are the worker pools that have a process, again for each.
func (w *workers) poolsThatRun() (ids []string) {
	for pid := range w.running() {
		ids = append(ids, rig.Environ(pid)["CLOUD_RUN_WORKER_POOL"])
	}
	return ids
}

// contract: WP-6, MEM-1, MEM-2
// An instance that uses more than its memory ends with all its containers.
func TestMemoryOfWorkersEndsTheirInstance(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	// On v1 the kernel ends the one process, and Runnel a moment later all others.
	fill := named("fill", w.script("echo begin; sleep 2; dd if=/dev/zero of=/fill bs=1M count=400; sleep 3; echo still here; "+forever))
	w.deployed("greedy", pool(1, fill, named("beside", w.script("echo beside; "+forever))))
	w.deployed("calm", pool(1, w.script("echo calm; "+forever)))
	w.Eventually("both have begun again", func() bool {
		return len(w.times("greedy", "begin")) >= 2 && len(w.times("greedy", "beside")) >= 2
	})
	w.tellsOf("greedy", "Memory limit of 256 MiB exceeded with ")
	if n := len(w.times("greedy", "still here")); n != 0 {
		t.Errorf("it has gone on %d times", n)
	}
	if n := len(w.times("calm", "calm")); n != 1 {
		t.Errorf("the other worker pool was started %d times", n)
	}
}

// contract: WP-11, LIFE-13
// A worker that ends is started again, later each time, whatever its exit code.
func TestRestartsOfWorkersSpreadOut(t *testing.T) {
	rig.HostOnly(t, "the scheduler's tests prove it in less time")
	h := openHost(t)
	w := serveWorkers(h)
	w.deployed("fails", pool(1, w.script(rig.TellStart+"; sleep 1; exit 1")))
	w.deployed("ends", pool(1, w.script(rig.TellStart+"; sleep 1; exit 0")))
	for id, exit := range map[string]string{"fails": "Container called exit(1).", "ends": "Container called exit(0)."} {
		w.Eventually(id+" is started for the fifth time", func() bool { return len(rig.Starts(h, w.tells(id))) >= 5 })
		at := rig.Starts(h, w.tells(id))
		for n := 1; n < 5; n++ {
			gap, pause := at[n]-at[n-1], time.Second<<(n-1)
			t.Logf("%s: start %d after %v", id, n, gap)
			// One second in which it runs, and the pause.
			if gap < pause+time.Second || gap > pause+6*time.Second {
				t.Errorf("%s: start %d comes %v after the one before, want some more than %v", id, n, gap, pause+time.Second)
			}
		}
		w.tellsOf(id, exit)
	}
}
