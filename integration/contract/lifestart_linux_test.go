package contract

import (
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// serve deploys a small test server, which is called after the test and goes
// with it.
func serve(t *testing.T, d *rig.Daemon, flags ...string) (name string) {
	t.Helper()
	return serveAs(d, nameOf(t), flags...)
}

// serveAs is serve under another name.
func serveAs(d *rig.Daemon, as string, flags ...string) (name string) {
	d.Host.Helper()
	goes(d, as)
	d.Deploy(as, append([]string{"--cpu", "0.2", "--memory", "128Mi"}, flags...)...).Exits(0)
	return as
}

// goes has a service deleted when the test ends, so that others have its room.
func goes(d *rig.Daemon, name string) {
	d.Host.Cleanup(func() { d.CLI("services", "delete", name, "--quiet") }) // there may be none
}

// withSide are the flags of a service with a second test server beside, at port
// 9090: those of each, and of the service.
func withSide(d *rig.Daemon, name string, main, side []string, more ...string) []string {
	flags := append([]string{"deploy", name, "--allow-unauthenticated", "--max-instances", "1"}, more...)
	each := []string{"--image", d.Host.Server(), "--memory", "128Mi"}
	flags = append(append(append(flags, "--container", "main", "--port", "8080"), each...), main...)
	return append(append(append(flags, "--container", "side"), each...), side...)
}

// besideListens waits for the server beside: for that a request that starts the
// instance does not wait.
func besideListens(d *rig.Daemon, name string) {
	d.Host.Helper()
	d.Eventually("the server beside listens", func() bool { return d.Get(name, "/fetch?url=http://localhost:9090/").Code == 200 })
}

// described fails the test unless all of texts are in the description of a
// service, where lines and their indentation count for nothing.
func described(d *rig.Daemon, name string, texts ...string) {
	d.Host.Helper()
	yaml := d.CLI("services", "describe", name, "--format", "yaml").Exits(0).Stdout
	for _, text := range texts {
		if !strings.Contains(strings.Join(strings.Fields(yaml), " "), text) {
			d.Host.Errorf("the description of %s lacks %q:\n%s", name, text, yaml)
		}
	}
}

// contract: LIFE-1
func TestLIFE1AnInstanceHasFourMinutesToListen(t *testing.T) {
	d := daemon(t)
	soon, late, sick := nameOf(t, "soon"), nameOf(t, "late"), nameOf(t, "sick")
	for _, name := range []string{soon, late, sick} {
		goes(d, name)
	}
	const most = 240 * time.Second
	deploy := func(name string, delay time.Duration) *rig.Process {
		return d.BeginDeploy(2*most+rig.Patience(), name, "--cpu", "0.1", "--memory", "128Mi", "--set-env-vars", "START_DELAY="+delay.String())
	}
	inTime, tooLate := deploy(soon, most-15*time.Second), deploy(late, most+10*time.Second)
	d.CLI(withSide(d, sick, nil, []string{"--set-env-vars", "SIDE_PORT=9090", "--startup-probe", "tcpSocket.port=9999,periodSeconds=1,failureThreshold=2"})...).
		Exits(1).Shows("failed the configured startup probe checks")
	d.Get(sick, "/").Is(d.Host, 503)

	inTime.Wait().Exits(0)
	d.Get(soon, "/").Is(d.Host, 200)
	r := tooLate.Wait().Exits(1).Shows("failed to start and listen on the port defined provided by the PORT=8080 environment variable")
	if r.Took < most {
		t.Errorf("given up after %v, want %v", r.Took, most)
	}
	if log := d.Said(late); strings.Contains(log, "listening") {
		t.Errorf("it has listened:\n%s", log)
	}
}

// contract: LIFE-2
func TestLIFE2CPUIsThereDuringTheStart(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	goes(d, name)
	deployed := d.BeginDeploy(rig.Patience(), name, "--cpu", "0.5", "--memory", "128Mi", "--no-cpu-boost", "--set-env-vars", "START_DELAY=4s")
	d.Until("the instance is started", func() bool { return len(d.Started(name)) > 0 })
	var quotas map[string]bool
	for !deployed.Ended() {
		if quotas = d.Quotas(name); quotas["1000"] || len(quotas) > 0 && !quotas["50000"] {
			break
		}
		<-time.After(50 * time.Millisecond)
	}
	looked := time.Now()
	deployed.Wait().Exits(0)
	// What the server says itself may come late, with next to no CPU.
	const started = "Default STARTUP TCP probe succeeded"
	d.Says(name, started)
	if at := d.When(name, started)[0]; at.Sub(looked) > inexact {
		t.Errorf("quotas %v before its start is over are %v, want that of 0.5 CPU", at.Sub(looked), quotas)
	}
	d.Until("it has next to none when it is idle", func() bool { return d.Quotas(name)["1000"] })
}

// contract: LIFE-3
func TestLIFE3RequestsFlowAsSoonAsThePortListens(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--set-env-vars", "START_DELAY=2s")
	described(d, name, "startupProbe: failureThreshold: 1 periodSeconds: 240 tcpSocket: port: 8080 timeoutSeconds: 240")
	d.CLI("services", "update", name, "--scaling", "0").Exits(0)
	d.Settles(name)
	d.CLI("services", "update", name, "--scaling", "auto").Exits(0)
	begin := time.Now()
	// Where a start takes longer than requests wait, as on an emulated machine, one is refused.
	d.Until("it answers", func() bool { return d.Get(name, "/").Code == 200 })
	answered := time.Now()
	if took := answered.Sub(begin); took < 2*time.Second {
		t.Errorf("answered after %v by a server that listens after 2s", took)
	}
	var listens []time.Time
	d.Until("the second instance has listened", func() bool {
		listens = d.When(name, "listening on")
		return len(listens) == 2
	})
	if waited := answered.Sub(listens[1]); waited > 20*time.Second {
		t.Errorf("answered %v after the port has listened", waited)
	}
	d.Says(name, `Default STARTUP TCP probe succeeded after 1 attempt for container "worker" on port 8080`)
}
