package integration

import (
	"net/url"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// beside has the second container of a service's instance answer, at port 9090.
func beside(d *rig.Daemon, service, path string) (status int, body string) {
	d.Host.Helper()
	var answer struct {
		Status int
		Body   string
	}
	d.Get(service, "/fetch?url="+url.QueryEscape("http://localhost:9090"+path)).Is(d.Host, 200).Decode(d.Host, &answer)
	return answer.Status, answer.Body
}

// contract: NET-19, ENV-1, ENV-2, DEP-1, VOL-1, VOL-3, VOL-8, MEM-3, LIFE-13
// Two containers are one instance: with one network, one volume, one life.
func TestTwoContainers(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	d.CLI("deploy", "pair", "--allow-unauthenticated", "--max-instances", "1", "--add-volume", "name=shared,type=in-memory,size-limit=16Mi",
		"--container", "main", "--image", h.Server(), "--port", "8080", "--cpu", "0.5", "--memory", "128Mi", "--concurrency", "1",
		"--depends-on", "side", "--add-volume-mount", "volume=shared,mount-path=/shared",
		"--container", "side", "--image", h.Server(), "--cpu", "0.5", "--memory", "128Mi", "--set-env-vars", "SIDE_PORT=9090,START_DELAY=2s",
		"--startup-probe", "tcpSocket.port=9090,periodSeconds=10", "--add-volume-mount", "volume=shared,mount-path=/common").Exits(0)
	before, _ := selfOf(d, "pair")

	tells(d, "pair", "listening on [::]:8080", "listening on [::]:9090", `STARTUP TCP probe succeeded after 1 attempt for container "side" on port 9090`)
	log := toldBy(d, "pair")
	if strings.Index(log, "listening on [::]:9090") > strings.Index(log, "listening on [::]:8080") {
		t.Errorf("the one that others depend on comes after them:\n%s", rig.Clip(log))
	}

	d.Get("pair", "/env").Is(h, 200, `"PORT":"8080"`, `"K_SERVICE":"pair"`)
	if status, env := beside(d, "pair", "/env"); status != 200 || strings.Contains(env, `"PORT"`) || !strings.Contains(env, `"K_SERVICE":"pair"`) {
		t.Errorf("the environment beside is %d %s", status, env)
	}

	d.Get("pair", "/write?path=/shared/word&text=hello").Is(h, 200, "<nil>")
	if status, text := beside(d, "pair", "/read?path=/common/word"); status != 200 || text != "hello" {
		t.Errorf("%d %q is read beside", status, text)
	}
	if status, _ := beside(d, "pair", "/read?path=/shared/word"); status != 404 {
		t.Errorf("%d for a path where nothing is mounted", status)
	}
	used := usageOf(d)
	d.Get("pair", "/write?path=/shared/some&mib=10").Is(h, 200, "<nil>")
	if grown := usageOf(d) - used; grown < 8<<20 {
		t.Errorf("10 MiB in the volume are %d bytes of memory", grown)
	}
	d.Get("pair", "/write?path=/shared/much&mib=64").Is(h, 200, "no space left on device")
	if now, _ := selfOf(d, "pair"); now != before {
		t.Errorf("the instance is %s, was %s", now, before)
	}

	// The request may still find out that nobody is there beside, and be cut off
	// while it tells so.
	if a := d.Get("pair", "/fetch?url="+url.QueryEscape("http://localhost:9090/exit?code=5")); a.Err == nil && a.Code != 502 && a.Code != 503 {
		t.Errorf("%d for the request that ends the container beside", a.Code)
	}
	replacedBy(d, "pair", before)
	tells(d, "pair", "Container called exit(5).")
	if status, _ := beside(d, "pair", "/read?path=/common/word"); status != 404 {
		t.Errorf("%d for a file of the instance before", status)
	}
}

// contract: DEP-2, MEM-2, LIFE-7
// Nobody waits for a container that says nothing of when it is up. All of them
// are told to go.
func TestDependencyWithoutAProbe(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	d.CLI("deploy", "loose", "--allow-unauthenticated",
		"--container", "main", "--image", h.Server(), "--port", "8080", "--cpu", "0.2", "--memory", "128Mi", "--concurrency", "1", "--depends-on", "side,idle",
		"--container", "side", "--image", h.Server(), "--cpu", "0.2", "--memory", "128Mi", "--set-env-vars", "SIDE_PORT=9090",
		"--container", "idle", "--image", h.Server(), "--cpu", "0.2", "--memory", "128Mi", "--set-env-vars", "START_DELAY=1h").Exits(0)
	d.Get("loose", "/env").Is(h, 200)
	d.Eventually("the one beside listens", func() bool { return d.Get("loose", "/fetch?url=http://localhost:9090/").Code == 200 })
	if limits := limitsOf(d); !limits["402653184"] || !limits["134217728"] {
		t.Errorf("limits of memory: %v, want three times 128 MiB for the instance and 128 MiB for each", limits)
	}
	d.CLI("services", "update", "loose", "--scaling", "0").Exits(0)
	d.Until("both have gone", func() bool {
		log := toldBy(d, "loose")
		return strings.Count(log, "told to go") == 2 && strings.Count(log, "gone") == 2
	})
}
