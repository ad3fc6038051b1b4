package contract

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"runnel/integration/rig"
)

// idleTime is how long the impatient daemon keeps an instance that is idle.
const idleTime = 10 * time.Second

// impatient is a second daemon for all tests that wait for idle instances to go.
var impatient struct {
	start  sync.Once
	daemon *rig.Daemon
}

// impatientDaemon is one that keeps idle instances for ten seconds instead of
// fifteen minutes. The test runs beside others from here on.
func impatientDaemon(t *testing.T) *rig.Daemon {
	t.Helper()
	daemon(t)
	impatient.start.Do(func() {
		config := configured(t, shared.daemon.Host, "services: {idleTime: "+idleTime.String()+"}\n")
		impatient.daemon = shared.daemon.Host.ServeRequests("--config", config)
	})
	if impatient.daemon == nil {
		t.Fatal("the impatient daemon has not started")
	}
	return impatient.daemon.For(t)
}

// configured is a file with a daemon's configuration, which lives as long as h
// does.
func configured(t *testing.T, h *rig.Host, text string) (file string) {
	t.Helper()
	file = filepath.Join(h.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// contract: LIFE-4
func TestLIFE4AnInstanceWithoutARequestIsIdle(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--cpu", "1", "--no-cpu-boost", "--max-instances", "1")
	idle := func() bool { q := d.Quotas(name); return len(q) == 1 && q["1000"] }
	d.Until("without a request it is idle", idle)
	one, two := d.Hold(name), d.Hold(name)
	for _, held := range []*rig.Held{one, two} {
		if idle() {
			t.Error("it is idle, though it has a request")
		}
		held.Finish().Is(d.Host, 200)
	}
	d.Until("it is idle again", idle)
	d.Settles(name, 1)
}

// contract: LIFE-5
func TestLIFE5IdleInstancesGoAfterFifteenMinutesAtMost(t *testing.T) {
	d := impatientDaemon(t)
	name, kept := serve(t, d), serveAs(d, nameOf(t, "kept"), "--min-instances", "1")
	stays, _ := d.Self(kept)
	d.Get(name, "/").Is(d.Host, 200)
	begin, last := time.Now(), d.Started(name)
	d.End("the instances without a request", last)
	if took := time.Since(begin); took < idleTime-2*time.Second {
		t.Errorf("an instance is kept for %v, want %v", took, idleTime)
	}
	d.Says(name, "told to go", "gone")
	d.Settles(kept, 1)
	if now, _ := d.Self(kept); now != stays {
		t.Errorf("that of the minimum is %s, was %s", now, stays)
	}

	// Nobody has them kept for longer.
	long := configured(t, d.Host, "services: {idleTime: 15m1s}\n")
	d.Host.StartWith(d.Lead, "serve", "--root", filepath.Join(t.TempDir(), "root"), "--config", long).Wait().
		Exits(2).Shows(`services.idleTime: "15m1s": want 1s to 15m`)
}

// contract: LIFE-6
func TestLIFE6IdleInstancesThatAreStoppedAreReplaced(t *testing.T) {
	d := daemon(t)
	name, kept := serve(t, d), serveAs(d, nameOf(t, "kept"), "--min-instances", "1")
	for _, service := range []string{name, kept} {
		before, _ := d.Self(service)
		first := d.Started(service)
		if len(first) != 1 {
			t.Fatalf("instances of %s: %v, want one", service, first)
		}
		for _, pids := range first {
			d.Host.Kill(pids[0])
		}
		d.End("the instance of "+service, first)
		if service == kept { // that of the minimum comes back without a request
			d.Settles(service, 1)
		}
		d.Replaced(service, before)
	}
}

// contract: LIFE-6
// On a host with room for one instance the daemon itself stops the one that is
// idle, for that of whom a request is for, time and again.
func TestLIFE6IdleInstancesGoWhereOthersNeedTheirRoom(t *testing.T) {
	h := daemon(t).Host
	d := h.ServeRequests("--config", configured(t, h, "capacity: {memory: 400Mi}\n"))
	one, two := nameOf(t, "one"), nameOf(t, "two")
	serveAs(d, one, "--memory", "256Mi")
	d.Get(one, "/").Is(h, 200)
	for _, next := range []string{two, one} {
		other := map[string]string{one: two, two: one}[next]
		idle := d.Started(other)
		if len(idle) != 1 {
			t.Fatalf("instances of %s: %v, want one", other, idle)
		}
		if next == two {
			serveAs(d, two, "--memory", "256Mi")
		}
		d.Get(next, "/").Is(h, 200)
		d.End("the idle instance of "+other, idle)
	}
}
