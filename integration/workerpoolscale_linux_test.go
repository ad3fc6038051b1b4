package integration

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/integration/rig"
)

// contract: WP-1, ENV-4, MD-1, MD-4, MD-7
// What a worker sees: who it is, and nothing of requests.
func TestWorkersSeeWhoTheyAre(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	p := w.deployed("mill", pool(-1, w.script(ask+`for at in project/project-id instance/region instance/id; do
			echo "$at is $(ask metadata.google.internal $at)"
		done
		echo "token $(ask metadata.google.internal instance/service-accounts/default/token | head -c 16)"
		`+forever)))
	if p.GetScaling().GetManualInstanceCount() != 1 {
		t.Errorf("scaling is %v, want the default of 1", p.GetScaling())
	}
	revision := path.Base(p.GetLatestReadyRevision())
	pids := w.number(1)
	for pid := range pids {
		env := rig.Environ(pid)
		for name, want := range map[string]string{
			"CLOUD_RUN_WORKER_POOL": "mill", "CLOUD_RUN_WORKER_POOL_REVISION": revision, "CLOUD_RUN_REVISION": revision,
		} {
			if env[name] != want {
				t.Errorf("%s is %q, want %q", name, env[name], want)
			}
		}
		for name := range env {
			if name == "PORT" || strings.HasPrefix(name, "K_") || strings.HasPrefix(name, "CLOUD_RUN_TASK") || name == "CLOUD_RUN_TIMEOUT_SECONDS" {
				t.Errorf("%s is set to %q", name, env[name])
			}
		}
	}
	w.tellsOf("mill", "project/project-id is demo", "/regions/europe-west1", `token {"access_token"`)
	for _, e := range w.entries(poolName("mill")) {
		if id, ok := strings.CutPrefix(e.TextPayload, "instance/id is "); ok && (id == "" || id != e.Labels["instanceId"]) {
			t.Errorf("the instance is %q to itself, and %q to its log", id, e.Labels["instanceId"])
		}
	}
}

// contract: WP-2, CLI-7
// There are as many instances as somebody says, and none is allowed.
func TestWorkerPoolsAreScaledByHand(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	p := w.deployed("mill", pool(0, w.server()))
	if p.GetLatestReadyRevision() == "" {
		t.Errorf("without instances it is not ready: %v", p)
	}
	if pids := pidsOf(w.Daemon); len(pids) != 0 {
		t.Errorf("%d processes run for nobody", len(pids))
	}
	before := map[string]bool{}
	for _, n := range []int{3, 5, 2} {
		p := w.scaled("mill", n)
		if p.GetScaling().GetManualInstanceCount() != int32(n) {
			t.Errorf("scaling is %v, want %d", p.GetScaling(), n)
		}
		pids := w.number(n)
		if k := kept(pids, before); k != min(n, len(before)) {
			t.Errorf("of %d processes %d go on with %d", len(before), k, n)
		}
		before = pids
	}
	w.scaled("mill", 0)
	w.number(0)
	w.tellsOf("mill", "listening on", "Reason: MANUAL_OR_CUSTOMER_MIN_INSTANCE", "Shutting down user disabled instance")
	w.scaled("mill", 1)
	w.number(1)
	w.deleted("mill")
	w.number(0)
}

// contract: WP-7
// Instances are shared among revisions in proportion.
func TestInstancesAreSplit(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	small := w.server()
	one := path.Base(w.deployed("mill", pool(10, small)).GetLatestReadyRevision())
	w.number(10)
	small = proto.CloneOf(small)
	small.Env = greeting("two")
	p := w.deployed("mill", pool(10, small))
	two := path.Base(p.GetLatestReadyRevision())
	if two == one {
		t.Fatalf("one revision: %v", p)
	}
	w.split(map[string]int{two: 10})
	const byRevision = runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION
	p.InstanceSplits = []*runpb.InstanceSplit{
		{Type: byRevision, Revision: one, Percent: 70}, {Type: byRevision, Revision: two, Percent: 30},
	}
	p = w.deployed("mill", p)
	w.split(map[string]int{one: 7, two: 3})
	if s := p.GetInstanceSplitStatuses(); len(s) != 2 || s[0].GetRevision() != one || s[0].GetPercent() != 70 || s[1].GetPercent() != 30 {
		t.Errorf("the split is said to be %v", s)
	}
	w.scaled("mill", 1)
	w.number(1)
	w.scaled("mill", 5)
	w.number(5)

	// A new revision gets none as long as the splits name others.
	p = w.is("mill")
	p.Template.Containers[0].Env = greeting("three")
	p.Template.Revision = ""
	p = w.deployed("mill", p)
	three := path.Base(p.GetLatestReadyRevision())
	if n := revisionsOf(w.number(5)); three == two || n[three] != 0 {
		t.Errorf("%s has instances: %v", three, n)
	}
	p.InstanceSplits = []*runpb.InstanceSplit{{
		Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST, Percent: 100,
	}}
	w.deployed("mill", p)
	w.split(map[string]int{three: 5})
}

// split waits until each revision has so many processes, and no other has any.
func (w *workers) split(want map[string]int) {
	w.Host.Helper()
	w.Eventually(fmt.Sprintf("the processes are %v", want), func() bool {
		return fmt.Sprint(revisionsOf(w.running())) == fmt.Sprint(want)
	})
}

// Where the host has no room for the instances of two revisions, those of the new
// one take the places of the others, which come back if the new ones are not well.
func TestWorkersAreReplacedOnASmallHost(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte("capacity: {memory: 300Mi}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := serveWorkers(h, "--config", config)
	c := w.server()
	w.deployed("mill", pool(2, c))
	w.number(2)
	c.Env = greeting("two")
	p := w.deployed("mill", pool(2, c))
	w.split(map[string]int{path.Base(p.GetLatestReadyRevision()): 2})
	w.greets(w.number(2), "two")
	bad := w.script("exit 7")
	if _, err := w.deploys("mill", pool(2, bad)); err == nil || !strings.Contains(err.Error(), "Container called exit(7).") {
		t.Errorf("deployed: %v", err)
	}
	w.split(map[string]int{path.Base(p.GetLatestReadyRevision()): 2})
}
