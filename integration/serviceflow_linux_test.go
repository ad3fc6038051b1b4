package integration

import (
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
)

// contract: ENV-1, ENV-2, ENV-5, LIFE-3, SC-6, TR-1, TR-5, URL-1, DIS-1, CLI-1
// The whole of it: a service is deployed, answers from zero, is changed, split
// over revisions, rolled back, switched off, and deleted.
func TestServiceFromDeployToDelete(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("hello", "--set-env-vars", "GREETING=one").Exits(0).Shows("has been deployed and is serving", "100 percent", "http://hello.run.localhost:")

	var env map[string]string
	d.Get("hello", "/env").Is(h, 200).Decode(h, &env)
	first := env["K_REVISION"]
	if env["K_SERVICE"] != "hello" || env["K_CONFIGURATION"] != "hello" || env["PORT"] != "8080" || env["GREETING"] != "one" || !strings.HasPrefix(first, "hello-00001-") {
		t.Errorf("environment: %v", env)
	}

	d.Deploy("hello", "--set-env-vars", "GREETING=two", "--no-traffic", "--tag", "next").Exits(0)
	d.Get("hello", "/env").Is(h, 200, `"GREETING":"one"`)
	d.Get("next---hello", "/env").Is(h, 200, `"GREETING":"two"`)

	d.CLI("services", "update-traffic", "hello", "--to-latest").Exits(0)
	d.Get("hello", "/env").Is(h, 200, `"GREETING":"two"`, "hello-00002-")
	d.CLI("services", "update-traffic", "hello", "--to-revisions", first+"=100").Exits(0)
	for range 20 {
		d.Get("hello", "/").Is(h, 200, first)
	}

	d.CLI("services", "update", "hello", "--scaling", "0").Exits(0)
	d.Get("hello", "/").Is(h, 503, "Service is disabled")
	d.CLI("services", "update", "hello", "--scaling", "auto").Exits(0)
	d.Get("hello", "/").Is(h, 200, first)

	d.CLI("services", "delete", "hello", "--quiet").Exits(0)
	d.Get("hello", "/").Is(h, 404)
	d.CLI("services", "list").Exits(0)
}

// contract: REQ-3, REQ-5, SC-1, SC-11
func TestLoadStartsInstancesUpToTheMaximum(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("one", "--concurrency", "1", "--max-instances", "3", "--cpu", "0.2").Exits(0)
	client := d.Requests()
	var asking sync.WaitGroup
	for range 6 {
		asking.Go(func() {
			d.Ask(client, "GET", "one", "/sleep?for=500ms", nil).Is(h, 200, "slept")
		})
	}
	asking.Wait()
	most := map[string]bool{}
	for range 10 {
		most[strings.Fields(d.Get("one", "/most").Is(h, 200).Body)[0]] = true
	}
	if len(most) != 1 || !most["1"] {
		t.Errorf("at most %v requests at a time, want 1", most)
	}
}

// contract: NET-1, HC-4, REV-4, REV-5
func TestRevisionThatDoesNotListenTakesNoRequests(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("hello").Exits(0)
	before := d.Get("hello", "/").Is(h, 200).Body
	d.Deploy("hello", "--set-env-vars", "LISTEN=127.0.0.1", "--startup-probe", "tcpSocket.port=8080,periodSeconds=1,failureThreshold=3").
		Exits(1).Shows("failed the configured startup probe checks")
	if after := d.Get("hello", "/").Is(h, 200).Body; after != before {
		t.Errorf("%q answers, want %q", after, before)
	}
}
