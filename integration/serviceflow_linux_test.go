package integration

import (
	"strings"
	"sync"
	"testing"
)

// contract: ENV-1, ENV-2, ENV-5, LIFE-3, SC-6, TR-1, TR-5, URL-1, DIS-1, CLI-1
// The whole of it: a service is deployed, answers from zero, is changed, split
// over revisions, rolled back, switched off, and deleted.
func TestServiceFromDeployToDelete(t *testing.T) {
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("hello", "--set-env-vars", "GREETING=one").exits(0).shows("has been deployed and is serving", "100 percent", "http://hello.run.localhost:")

	var env map[string]string
	d.get("hello", "/env").is(h, 200).decode(h, &env)
	first := env["K_REVISION"]
	if env["K_SERVICE"] != "hello" || env["K_CONFIGURATION"] != "hello" || env["PORT"] != "8080" || env["GREETING"] != "one" || !strings.HasPrefix(first, "hello-00001-") {
		t.Errorf("environment: %v", env)
	}

	d.deploy("hello", "--set-env-vars", "GREETING=two", "--no-traffic", "--tag", "next").exits(0)
	d.get("hello", "/env").is(h, 200, `"GREETING":"one"`)
	d.get("next---hello", "/env").is(h, 200, `"GREETING":"two"`)

	d.cli("services", "update-traffic", "hello", "--to-latest").exits(0)
	d.get("hello", "/env").is(h, 200, `"GREETING":"two"`, "hello-00002-")
	d.cli("services", "update-traffic", "hello", "--to-revisions", first+"=100").exits(0)
	for range 20 {
		d.get("hello", "/").is(h, 200, first)
	}

	d.cli("services", "update", "hello", "--scaling", "0").exits(0)
	d.get("hello", "/").is(h, 503, "Service is disabled")
	d.cli("services", "update", "hello", "--scaling", "auto").exits(0)
	d.get("hello", "/").is(h, 200, first)

	d.cli("services", "delete", "hello", "--quiet").exits(0)
	d.get("hello", "/").is(h, 404)
	d.cli("services", "list").exits(0)
}

// contract: REQ-3, REQ-5, SC-1, SC-11
func TestLoadStartsInstancesUpToTheMaximum(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("one", "--concurrency", "1", "--max-instances", "3", "--cpu", "0.2").exits(0)
	client := d.requests()
	var asking sync.WaitGroup
	for range 6 {
		asking.Go(func() {
			d.ask(client, "GET", "one", "/sleep?for=500ms", nil).is(h, 200, "slept")
		})
	}
	asking.Wait()
	most := map[string]bool{}
	for range 10 {
		most[strings.Fields(d.get("one", "/most").is(h, 200).body)[0]] = true
	}
	if len(most) != 1 || !most["1"] {
		t.Errorf("at most %v requests at a time, want 1", most)
	}
}

// contract: NET-1, HC-4, REV-4, REV-5
func TestRevisionThatDoesNotListenTakesNoRequests(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("hello").exits(0)
	before := d.get("hello", "/").is(h, 200).body
	d.deploy("hello", "--set-env-vars", "LISTEN=127.0.0.1", "--startup-probe", "tcpSocket.port=8080,periodSeconds=1,failureThreshold=3").
		exits(1).shows("failed the configured startup probe checks")
	if after := d.get("hello", "/").is(h, 200).body; after != before {
		t.Errorf("%q answers, want %q", after, before)
	}
}
