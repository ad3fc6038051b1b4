package contract

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// refuses fails the test unless the daemon refuses a service with such flags, for
// a reason.
func refuses(d *rig.Daemon, name string, why string, flags ...string) {
	d.Host.Helper()
	d.Deploy(name, flags...).Exits(2).Shows(why)
}

// contract: HC-1
func TestHC1AStartUpProbeIsOptional(t *testing.T) {
	d := daemon(t)
	name := serve(t, d)
	described(d, name, "startupProbe: failureThreshold: 1 periodSeconds: 240 tcpSocket: port: 8080 timeoutSeconds: 240")
	d.Get(name, "/").Is(d.Host, 200)
	d.Says(name, "Default STARTUP TCP probe succeeded after 1 attempt")
	d.CLI("services", "update", name, "--startup-probe", "httpGet.path=/ready").Exits(0)
	described(d, name, "httpGet: path: /ready")
	d.Says(name, `STARTUP HTTP probe succeeded after 1 attempt for container "worker" on port 8080 path "/ready"`)
}

// contract: HC-2
func TestHC2StartUpIsHTTPTCPOrGRPCAndTheOthersNotTCP(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--startup-probe", "tcpSocket.port=8080")
	d.Says(name, "STARTUP TCP probe succeeded")
	export := d.CLI("services", "describe", name, "--format", "export").Exits(0).Stdout
	for _, kind := range []string{"liveness", "readiness"} {
		refuses(d, nameOf(t, kind), `unknown key "tcpSocket.port"`, "--"+kind+"-probe", "tcpSocket.port=8080")
		file := filepath.Join(t.TempDir(), kind+".yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(export, "startupProbe", kind+"Probe", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		d.CLI("services", "replace", file).Exits(2).Shows("want httpGet or grpc")
	}
	d.Deploy(name, "--memory", "128Mi", "--startup-probe", "httpGet.path=/", "--liveness-probe", "httpGet.path=/", "--readiness-probe", "httpGet.path=/").Exits(0)
	d.Get(name, "/").Is(d.Host, 200)
	d.Says(name, "STARTUP HTTP probe succeeded")
	d.Deploy(name, "--memory", "128Mi", "--use-http2", "--set-env-vars", "H2C=1",
		"--startup-probe", "grpc.port=8080", "--liveness-probe", "grpc.port=8080", "--readiness-probe", "grpc.port=8080").Exits(0)
	d.Get(name, "/").Is(d.Host, 200)
	d.Says(name, "STARTUP GRPC probe succeeded")
}

// contract: HC-3
func TestHC3DefaultsAndBoundsOfProbes(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--startup-probe", "httpGet.path=/health", "--liveness-probe", "httpGet.path=/health")
	described(d, name, "livenessProbe: failureThreshold: 3 httpGet: path: /health port: 8080 periodSeconds: 10 timeoutSeconds: 1",
		"startupProbe: failureThreshold: 3 httpGet: path: /health port: 8080 periodSeconds: 10 timeoutSeconds: 1")
	for _, c := range []struct{ flag, most, over, why string }{
		{"startup", "initialDelaySeconds=240", "initialDelaySeconds=241", "want 0 to 240"},
		{"liveness", "initialDelaySeconds=3600", "initialDelaySeconds=3601", "want 0 to 3600"},
		{"startup", "periodSeconds=240,failureThreshold=1", "periodSeconds=241,failureThreshold=1", "want 1 to 240"},
		{"liveness", "periodSeconds=3600", "periodSeconds=3601", "want 1 to 3600"},
		{"liveness", "timeoutSeconds=10", "timeoutSeconds=11", "11 seconds are longer than the period of 10"},
	} {
		flag := "--" + c.flag + "-probe"
		d.Deploy(nameOf(t, "most"), "--memory", "128Mi", "--no-deploy-health-check", flag, "httpGet.path=/,"+c.most).Exits(0)
		refuses(d, nameOf(t, "over"), c.why, flag, "httpGet.path=/,"+c.over)
	}
	goes(d, nameOf(t, "most"))

	before, _ := d.Self(name)
	d.Get(name, "/health/set?ok=false").Is(d.Host, 200)
	begin := time.Now()
	d.Replaced(name, before)
	if took := time.Since(begin); took < 19*time.Second { // three failures, ten seconds apart
		t.Errorf("replaced after %v", took)
	}
}

// contract: HC-4
func TestHC4StartUpProbesFailAfterThresholdTimesPeriod(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	refuses(d, name, "25 failures, 10 seconds apart, take 250 seconds: want at most 240", "--startup-probe", "tcpSocket.port=8080,periodSeconds=10,failureThreshold=25")
	serve(t, d, "--no-deploy-health-check", "--startup-probe", "tcpSocket.port=8080,initialDelaySeconds=240,periodSeconds=10,failureThreshold=24")
	r := d.Deploy(name, "--deploy-health-check", "--set-env-vars", "LISTEN=127.0.0.1",
		"--startup-probe", "tcpSocket.port=8080,initialDelaySeconds=3,periodSeconds=1,failureThreshold=2").
		Exits(1).Shows("failed the configured startup probe checks")
	if r.Took < 5*time.Second {
		t.Errorf("given up after %v, want a delay of 3 s and two periods of 1 s", r.Took)
	}
	d.Settles(name) // the container is ended
	d.Says(name, "STARTUP TCP probe failed 2 times consecutively")
}

// contract: HC-5
func TestHC5OtherProbesBeginWhenTheStartIsOver(t *testing.T) {
	d := daemon(t)
	const often = "httpGet.path=/health,periodSeconds=1,failureThreshold="
	name := serve(t, d, "--set-env-vars", "START_DELAY=5s", "--startup-probe", often+"100", "--liveness-probe", often+"3", "--readiness-probe", often+"1")
	d.Get(name, "/").Is(d.Host, 200)
	d.Says(name, "STARTUP HTTP probe succeeded")
	started := d.When(name, "STARTUP HTTP probe succeeded")[0]
	for _, kind := range []string{"LIVENESS", "READINESS"} {
		for _, at := range d.When(name, kind) { // on a busy host one may fail soon after
			if at.Before(started) {
				t.Errorf("%s is asked at %v, and the start was over at %v", kind, at, started)
			}
		}
	}
	d.Get(name, "/health/set?ok=false").Is(d.Host, 200)
	d.Says(name, "READINESS HTTP probe failed 1 time consecutively", "LIVENESS HTTP probe failed 3 times consecutively")
}

// contract: HC-6
func TestHC6StatusesFrom200To399AreWell(t *testing.T) {
	d := daemon(t)
	// A second is not always enough for an answer on a busy host.
	name := serve(t, d, "--cpu", "1", "--max-instances", "1", "--readiness-probe", "httpGet.path=/health,periodSeconds=4,timeoutSeconds=4,failureThreshold=1")
	for _, well := range []string{"200", "204", "302", "399"} {
		d.Get(name, "/health/set?code="+well).Is(d.Host, 200)
		asked := d.Number(name, "/health/asked")
		d.Until("it is asked with "+well, func() bool { return d.Number(name, "/health/asked") >= asked+2 })
	}
	const failed = "READINESS HTTP probe failed"
	if log := d.Said(name); strings.Contains(log, failed) {
		t.Errorf("one of these is not well:\n%s", log)
	}
	for _, ill := range []string{"400", "503"} {
		d.Get(name, "/").Is(d.Host, 200) // when it is well, or well again
		before := strings.Count(d.Said(name), failed)
		d.Get(name, "/health/set?for=5s&code="+ill).Is(d.Host, 200)
		d.Until(ill+" is not well", func() bool { return strings.Count(d.Said(name), failed) > before })
	}
}

// contract: HC-10
func TestHC10TheLogTellsWhatStartUpProbesComeTo(t *testing.T) {
	d := daemon(t)
	name := serve(t, d)
	d.Says(name, `Default STARTUP TCP probe succeeded after 1 attempt for container "worker" on port 8080`)
	d.Deploy(name, "--memory", "128Mi", "--set-env-vars", "START_DELAY=3s", "--startup-probe", "httpGet.path=/ready,periodSeconds=2,failureThreshold=100").Exits(0)
	d.Says(name, "STARTUP HTTP probe succeeded after ", ` attempts for container "worker" on port 8080 path "/ready"`)
	d.Deploy(name, "--memory", "128Mi", "--startup-probe", "httpGet.path=/status?code=400,periodSeconds=1,failureThreshold=2").Exits(1)
	d.Says(name, `STARTUP HTTP probe failed 2 times consecutively for container "worker" on port 8080 path "/status?code=400". The instance was not started.`)
	d.CLI("deploy", name, "--image", d.Host.Shell(), "--args", "^\x01^exit 7", "--startup-probe", "").Exits(1)
	d.Says(name, `Default STARTUP TCP probe failed 1 time consecutively for container "worker" on port 8080. The instance was not started. Connection failed with status CANCELLED.`)
}

// contract: HC-13
func TestHC13TheGRPCProbeIsTheHealthService(t *testing.T) {
	d := daemon(t)
	deploy := func(service string) rig.Result {
		return d.Deploy(nameOf(t), "--memory", "128Mi", "--use-http2", "--set-env-vars", "H2C=1",
			"--startup-probe", "grpc.port=8080,periodSeconds=1,failureThreshold=10"+service)
	}
	goes(d, nameOf(t))
	for _, well := range []string{"", ",grpc.service=well"} {
		deploy(well).Exits(0)
		d.Get(nameOf(t), "/").Is(d.Host, 200)
	}
	for _, not := range []string{"ill", "nosuch"} {
		deploy(",grpc.service=" + not).Exits(1).Shows("failed the configured startup probe checks")
	}
	d.Says(nameOf(t), "STARTUP GRPC probe failed 10 times consecutively")
}
