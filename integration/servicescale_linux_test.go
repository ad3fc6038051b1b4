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
)

// instances are how many instances each revision of the daemon's has, in no
// certain order of revisions: the fewest first.
func (d *daemon) instances() []int {
	d.h.Helper()
	found := map[string]map[string]bool{}
	for dir, pids := range d.settings("cgroup.procs") {
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
func (d *daemon) settles(counts ...int) {
	d.h.Helper()
	d.eventually("there are as many instances as wanted", func() bool { return slices.Equal(d.instances(), counts) })
	<-time.After(time.Second)
	if now := d.instances(); !slices.Equal(now, counts) {
		d.h.Errorf("instances by revision: %v, want %v", now, counts)
	}
}

// contract: SC-2, SC-12, SC-13, SC-14
// The minimum is there before the traffic, is shared by those that have it, and
// a number that was set is what there is.
func TestMinimumAndManualScaling(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("warm", "--cpu", "0.1", "--memory", "128Mi", "--min-instances", "2").exits(0)
	if now := d.instances(); !slices.Equal(now, []int{2}) {
		t.Errorf("once it is deployed there are %v instances, want 2", now)
	}
	d.cli("services", "delete", "warm", "--quiet").exits(0)
	d.settles()

	d.deploy("kept", "--cpu", "0.1", "--memory", "128Mi", "--set-env-vars", "IS=old").exits(0)
	var env map[string]string
	d.get("kept", "/env").is(h, 200, `"IS":"old"`).decode(h, &env)
	d.deploy("kept", "--no-traffic", "--set-env-vars", "IS=new").exits(0)
	d.cli("services", "update-traffic", "kept", "--to-revisions", env["K_REVISION"]+"=50,LATEST=50").exits(0)
	d.cli("services", "update", "kept", "--min", "4").exits(0)
	d.settles(2, 2)

	d.cli("services", "update", "kept", "--scaling", "3").exits(0)
	d.settles(1, 2)
	d.get("kept", "/").is(h, 200)
	d.cli("services", "update", "kept", "--scaling", "7").exits(0)
	d.settles(3, 4)
	d.cli("services", "delete", "kept", "--quiet").exits(0)
	d.settles()
}

// contract: SC-6, SC-15, TAG-1, IMG-5, IMG-6
// A revision stays on the image that it was made of, which is there without the
// registry, and is started by the requests for its tag.
func TestColdStartWithoutTheRegistry(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
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
	d.cli(append(deploy, "--tag", "one")...).exits(0)
	imagetest.Push(t, web("the second"), ref)
	d.cli("services", "update", "web", "--concurrency", "1", "--no-traffic", "--tag", "two").exits(0)
	imagetest.Push(t, web("nobody's"), ref)
	if err := leave(); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get("http://" + registry.Host + "/v2/"); err == nil {
		_ = resp.Body.Close() // nobody reads it
		t.Fatal("the registry is still there")
	}
	d.cli("services", "update", "web", "--scaling", "0").exits(0)
	d.settles()
	d.cli("services", "update", "web", "--scaling", "auto").exits(0)
	d.get("web", "/").is(h, 200, "the first")
	d.get("one---web", "/").is(h, 200, "the first")
	d.get("two---web", "/").is(h, 200, "the second")
	d.cli("services", "update", "web", "--scaling", "0").exits(0)
	d.settles()
	d.kill()
	d.start()
	d.cli("services", "update", "web", "--scaling", "auto").exits(0)
	d.get("two---web", "/").is(h, 200, "the second")
	d.get("web", "/").is(h, 200, "the first")
}
