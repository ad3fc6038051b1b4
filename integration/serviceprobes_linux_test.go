package integration

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// contract: HC-2, HC-3, HC-5, HC-6, HC-10, HC-13
// Each kind of start-up probe, one that fails, and a liveness probe that waits
// until the start is over.
func TestStartupProbes(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	for _, c := range []struct {
		name, probe string
		flags       []string
		line        string // what its log says, as a regular expression
	}{
		{"http", "httpGet.path=/status?code=302,periodSeconds=2,failureThreshold=20", []string{"--set-env-vars", "START_DELAY=3s", "--liveness-probe", "httpGet.path=/health,periodSeconds=10,timeoutSeconds=10,failureThreshold=1"},
			`STARTUP HTTP probe succeeded after ([2-9]|1\d) attempts for container "worker" on port 8080 path "/status\?code=302"`},
		{"tcp", "tcpSocket.port=8080,periodSeconds=10", nil, `STARTUP TCP probe succeeded after 1 attempt for container "worker" on port 8080`},
		{"grpc", "grpc.port=8080,periodSeconds=10", []string{"--use-http2", "--set-env-vars", "H2C=1"}, `STARTUP GRPC probe succeeded after 1 attempt for container "worker" on port 8080`},
		{"none", "", nil, `Default STARTUP TCP probe succeeded after 1 attempt for container "worker" on port 8080`},
	} {
		flags := append([]string{"--cpu", "0.3"}, c.flags...)
		if c.probe != "" {
			flags = append(flags, "--startup-probe", c.probe)
		}
		d.Deploy(c.name, flags...).Exits(0)
		d.Get(c.name, "/").Is(h, 200, c.name)
		said := regexp.MustCompile(c.line)
		d.Until("the log of "+c.name+" has "+c.line, func() bool { return said.MatchString(toldBy(d, c.name)) })
		d.CLI("services", "delete", c.name, "--quiet").Exits(0)
	}
	d.Deploy("bad", "--cpu", "0.3", "--startup-probe", "httpGet.path=/status?code=400,periodSeconds=1,failureThreshold=2").Exits(1)
	tells(d, "bad", `STARTUP HTTP probe failed 2 times consecutively for container "worker" on port 8080 path "/status?code=400". The instance was not started.`)
	d.Get("bad", "/").Is(h, 503)
	// The name of a service that nobody serves.
	d.Deploy("unserved", "--cpu", "0.3", "--use-http2", "--set-env-vars", "H2C=1", "--startup-probe", "grpc.port=8080,grpc.service=nosuch,periodSeconds=1,failureThreshold=2").Exits(1)
	tells(d, "unserved", "STARTUP GRPC probe failed 2 times consecutively")
}

// contract: HC-7, HC-9, HC-10, HC-12, ERR-503
// An instance that is not alive any more is killed with its requests, and
// replaced.
func TestLivenessProbe(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("sick", "--max-instances", "1", "--set-env-vars", "IGNORE_TERM=1", "--liveness-probe", "httpGet.path=/health,periodSeconds=1,timeoutSeconds=1,failureThreshold=3").Exits(0)
	before, _ := selfOf(d, "sick")
	<-time.After(4 * time.Second) // it is asked between requests, too
	if now, _ := selfOf(d, "sick"); now != before {
		t.Errorf("a healthy instance was replaced: %s, was %s", now, before)
	}
	pids := pidsOf(d)
	open := beginGet(d, "sick", "/sleep?for=1h")
	d.Eventually("two requests are there", func() bool { return numberAt(d, "sick", "/now") >= 2 })
	d.Get("sick", "/health/set?ok=false").Is(h, 200)
	begin := time.Now()
	open.wait().Is(h, 503, "Service Unavailable")
	d.Eventually("its processes are killed", func() bool {
		for pid := range pids {
			if isHere(pid) {
				return false
			}
		}
		return true
	})
	if took := time.Since(begin); took < time.Second {
		t.Errorf("three failures, a second apart, take %v", took)
	}
	replacedBy(d, "sick", before)
	tells(d, "sick", `LIVENESS HTTP probe failed 3 times consecutively for container "worker" on port 8080 path "/health". The instance has been shut down.`,
		"The request failed because the instance did not answer its liveness probe and was shut down.")
	if log := toldBy(d, "sick"); strings.Contains(log, "told to go") {
		t.Errorf("it was told to go:\n%s", rig.Clip(log))
	}
}

// contract: HC-8
// An instance that is not ready gets no requests, and gets them again when it
// is.
func TestReadinessProbe(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("moody", "--max-instances", "1", "--readiness-probe", "httpGet.path=/health,periodSeconds=1,failureThreshold=2").Exits(0)
	instance, boot := selfOf(d, "moody")
	const away = 7 * time.Second
	d.Get("moody", "/health/set?ok=false&for="+away.String()).Is(h, 200)
	client := d.Requests()
	var longest time.Duration
	for begin := time.Now(); time.Since(begin) < away+time.Second; {
		longest = max(longest, d.Ask(client, http.MethodGet, "moody", "/", nil).Is(h, 200).Took)
		<-time.After(10 * time.Millisecond)
	}
	if longest < 2*time.Second {
		t.Errorf("no request has waited for longer than %v", longest)
	}
	tells(d, "moody", `READINESS HTTP probe failed 2 times consecutively for container "worker" on port 8080 path "/health". The instance will not receive traffic.`,
		`READINESS HTTP probe succeeded after 1 attempt`)
	if again, now := selfOf(d, "moody"); again != instance || now != boot {
		t.Errorf("another instance answers: %s, was %s", again, instance)
	}
}
