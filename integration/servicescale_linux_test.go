package integration

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// countsOf are how many instances each revision of the daemon's has, in no
// certain order of revisions: the fewest first.
func countsOf(d *rig.Daemon) []int {
	d.Host.Helper()
	found := map[string]map[string]bool{}
	for dir, pids := range settingsOf(d, "cgroup.procs") {
		if pids == "" {
			continue
		}
		id := filepath.Base(dir)
		revision := id[:max(0, strings.LastIndexByte(id, '-'))]
		if found[revision] == nil {
			found[revision] = map[string]bool{}
		}
		found[revision][id] = true
	}
	var counts []int
	for _, ids := range found {
		counts = append(counts, len(ids))
	}
	slices.Sort(counts)
	return counts
}

// settles waits until the revisions have so many instances each, and fails the
// test if they do not stay so.
func settles(d *rig.Daemon, counts ...int) {
	d.Host.Helper()
	d.Eventually("there are as many instances as wanted", func() bool { return slices.Equal(countsOf(d), counts) })
	<-time.After(time.Second)
	if now := countsOf(d); !slices.Equal(now, counts) {
		d.Host.Errorf("instances by revision: %v, want %v", now, counts)
	}
}

// contract: SC-2, SC-12, SC-13, SC-14
// The minimum is there before the traffic, is shared by those that have it, and
// a number that was set is what there is.
func TestMinimumAndManualScaling(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("warm", "--cpu", "0.1", "--memory", "128Mi", "--min-instances", "2").Exits(0)
	if now := countsOf(d); !slices.Equal(now, []int{2}) {
		t.Errorf("once it is deployed there are %v instances, want 2", now)
	}
	d.CLI("services", "delete", "warm", "--quiet").Exits(0)
	settles(d)

	d.Deploy("kept", "--cpu", "0.1", "--memory", "128Mi", "--set-env-vars", "IS=old").Exits(0)
	var env map[string]string
	d.Get("kept", "/env").Is(h, 200, `"IS":"old"`).Decode(h, &env)
	d.Deploy("kept", "--no-traffic", "--set-env-vars", "IS=new").Exits(0)
	d.CLI("services", "update-traffic", "kept", "--to-revisions", env["K_REVISION"]+"=50,LATEST=50").Exits(0)
	d.CLI("services", "update", "kept", "--min", "4").Exits(0)
	settles(d, 2, 2)

	d.CLI("services", "update", "kept", "--scaling", "3").Exits(0)
	settles(d, 1, 2)
	d.Get("kept", "/").Is(h, 200)
	d.CLI("services", "update", "kept", "--scaling", "7").Exits(0)
	settles(d, 3, 4)
	d.CLI("services", "delete", "kept", "--quiet").Exits(0)
	settles(d)
}

// contract: SC-6, SC-15, TAG-1, IMG-5, IMG-6
// A revision stays on the image that it was made of, which is there without the
// registry, and is started by the requests for its tag.
func TestColdStartWithoutTheRegistry(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	registry, err := imagetest.NewServer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	leave := sync.OnceValue(registry.Close)
	t.Cleanup(func() { _ = leave() }) // the error is the first caller's
	ref := registry.Host + "/team/web:latest"
	web := func(text string) imagetest.Build {
		return imagetest.Build{
			Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.File("www/index.html", text, 0o644)}}},
			Config: imagetest.Config{Env: []string{"PATH=/bin"}, Entrypoint: []string{"/bin/sh", "-c", "trap 'exit 0' TERM; httpd -f -p $PORT -h /www & wait"}},
		}
	}
	deploy := []string{"deploy", "web", "--image", ref, "--allow-unauthenticated", "--cpu", "0.2", "--memory", "128Mi"}
	imagetest.Push(t, web("the first"), ref)
	d.CLI(append(deploy, "--tag", "one")...).Exits(0)
	imagetest.Push(t, web("the second"), ref)
	d.CLI("services", "update", "web", "--concurrency", "1", "--no-traffic", "--tag", "two").Exits(0)
	imagetest.Push(t, web("nobody's"), ref)
	if err := leave(); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get("http://" + registry.Host + "/v2/"); err == nil {
		_ = resp.Body.Close() // nobody reads it
		t.Fatal("the registry is still there")
	}
	d.CLI("services", "update", "web", "--scaling", "0").Exits(0)
	settles(d)
	d.CLI("services", "update", "web", "--scaling", "auto").Exits(0)
	d.Get("web", "/").Is(h, 200, "the first")
	d.Get("one---web", "/").Is(h, 200, "the first")
	d.Get("two---web", "/").Is(h, 200, "the second")
	d.CLI("services", "update", "web", "--scaling", "0").Exits(0)
	settles(d)
	d.Kill()
	d.Start()
	d.CLI("services", "update", "web", "--scaling", "auto").Exits(0)
	d.Get("two---web", "/").Is(h, 200, "the second")
	d.Get("web", "/").Is(h, 200, "the first")
}
