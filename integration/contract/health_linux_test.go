package contract

import (
	"strings"
	"testing"
	"time"
)

// contract: HC-7
func TestHC7WhoIsNotAliveIsKilledAndReplaced(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--cpu", "1", "--max-instances", "1", "--set-env-vars", "IGNORE_TERM=1",
		"--liveness-probe", "httpGet.path=/health,periodSeconds=1,failureThreshold=3")
	before, _ := d.Self(name)
	sick := d.Started(name)
	open := d.BeginGet(name, "/sleep?for=1h")
	d.Until("two requests are there", func() bool { return d.Number(name, "/now") >= 2 })
	d.Get(name, "/health/set?ok=false").Is(d.Host, 200)
	open.Wait().Is(d.Host, 503, "Service Unavailable")
	d.End("the processes", sick)
	d.Replaced(name, before)
	d.Says(name, `LIVENESS HTTP probe failed 3 times consecutively for container "worker" on port 8080 path "/health". The instance has been shut down.`)
	if log := d.Said(name); strings.Contains(log, "told to go") {
		t.Errorf("it is told to go:\n%s", log)
	}
}

// contract: HC-8
func TestHC8WhoIsNotReadyGetsNoRequestsUntilItIs(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--cpu", "1", "--max-instances", "1", "--readiness-probe", "httpGet.path=/health,periodSeconds=1,failureThreshold=2")
	instance, boot := d.Self(name)
	held := d.Hold(name)
	d.Get(name, "/health/set?ok=false&for=8s").Is(d.Host, 200)
	d.Says(name, `READINESS HTTP probe failed 2 times consecutively for container "worker" on port 8080 path "/health". The instance will not receive traffic.`)
	d.Get(name, "/").Is(d.Host, 200)
	answered := time.Now()
	d.Says(name, "READINESS HTTP probe succeeded after 1 attempt")
	if ready := d.When(name, "READINESS HTTP probe succeeded"); answered.Before(ready[0]) {
		t.Errorf("it has answered at %v, and is ready at %v", answered, ready[0])
	}
	held.Finish().Is(d.Host, 200)
	if again, now := d.Self(name); again != instance || now != boot {
		t.Errorf("another instance answers: %s, was %s", again, instance)
	}
}

// contract: HC-9
func TestHC9RestartsAfterFailuresAreSpreadOut(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--min-instances", "1", "--no-deploy-health-check",
		"--liveness-probe", "httpGet.path=/status?code=500,periodSeconds=1,failureThreshold=1")
	spreadOut(d, name)
	d.Says(name, "LIVENESS HTTP probe failed 1 time consecutively")
}

// contract: HC-11
func TestHC11TheOnlyContainerIsCalledWorker(t *testing.T) {
	d := daemon(t)
	name := serve(t, d)
	d.Says(name, "listening on", `for container "worker" on port 8080`)
	for _, text := range []string{"listening on", "Default STARTUP"} {
		called := d.CLI("services", "logs", name, "--system", "--log-filter", `textPayload:"`+text+`"`, "--format", "value(labels.container_name)").Exits(0).Stdout
		if called != "worker\n" {
			t.Errorf("the container of the line %q is called %q", text, called)
		}
	}
	two := nameOf(t, "named")
	goes(d, two)
	d.CLI("deploy", two, "--container", "mine", "--image", d.Host.Server(), "--cpu", "0.2", "--memory", "128Mi").Exits(0)
	d.Says(two, `for container "mine" on port 8080`)
}

// contract: HC-12
func TestHC12CPUIsThereWhileAProbeRuns(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--cpu", "0.5", "--no-cpu-boost", "--liveness-probe", "httpGet.path=/sleep?for=3s,periodSeconds=6,timeoutSeconds=6")
	for range 2 { // nobody sends a request
		d.Until("it has next to no CPU", func() bool { return d.Quotas(name)["1000"] })
		d.Until("it has CPU for the probe", func() bool { return d.Quotas(name)["50000"] })
	}
	d.Says(name, "slept")
}
