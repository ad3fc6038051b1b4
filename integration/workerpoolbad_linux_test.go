package integration

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/integration/rig"
)

// manyContainers are one container more than an instance may have.
func manyContainers(c *runpb.Container) (all []*runpb.Container) {
	for n := range 11 {
		all = append(all, named(fmt.Sprintf("c%d", n), proto.CloneOf(c)))
	}
	return all
}

// contract: WP-1, WP-9, DEP-3, ENV-9
// What makes no sense is refused with the field and what would be right, over both
// protocols, and nothing is left of it.
func TestBadWorkerPools(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.Serve()
	for _, rest := range []bool{true, false} {
		w := workersOf(d, rest)
		good := w.script(forever)
		for words, p := range w.badPools(good) {
			_, err := w.deploys("mill", p)
			if !refused(err, codes.InvalidArgument, codes.InvalidArgument) {
				t.Errorf("%s: %v", words, err)
				continue
			}
			for _, word := range strings.Split(words, "|") {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("lacks %q: %v", word, err)
				}
			}
		}
		for _, id := range []string{"Mill", "mill_1", "-mill", "mill-", strings.Repeat("m", 64), "../x"} {
			_, err := w.pools.CreateWorkerPool(w.ctx, &runpb.CreateWorkerPoolRequest{Parent: rig.Parent, WorkerPoolId: id, WorkerPool: pool(1, good)})
			if !refused(err, codes.InvalidArgument, codes.InvalidArgument) || !strings.Contains(err.Error(), "workerPoolId") {
				t.Errorf("%q: %v", id, err)
			}
		}
		w.absent()
		w.unmasked(good)
	}
}

// badPools are worker pools that cannot be, by what is said of them.
func (w *workers) badPools(good *runpb.Container) map[string]*runpb.WorkerPool {
	change := func(f func(p *runpb.WorkerPool, c *runpb.Container)) *runpb.WorkerPool {
		p := pool(1, proto.CloneOf(good))
		f(p, p.Template.Containers[0])
		return p
	}
	split := func(revision string, percent int32) *runpb.InstanceSplit {
		return &runpb.InstanceSplit{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, Revision: revision, Percent: percent}
	}
	return map[string]*runpb.WorkerPool{
		"template": {},
		"template.containers|10": change(func(p *runpb.WorkerPool, c *runpb.Container) {
			p.Template.Containers = manyContainers(c)
		}),
		"containers[0].ports|no ports": change(func(_ *runpb.WorkerPool, c *runpb.Container) {
			c.Ports = []*runpb.ContainerPort{{ContainerPort: 8080}}
		}),
		"containers[0].image": change(func(_ *runpb.WorkerPool, c *runpb.Container) { c.Image = "" }),
		"containers[0].env[0].name|PORT": change(func(_ *runpb.WorkerPool, c *runpb.Container) {
			c.Env = []*runpb.EnvVar{{Name: "PORT", Values: &runpb.EnvVar_Value{Value: "1"}}}
		}),
		"containers[0].env[0].name|CLOUD_RUN_WORKER_POOL": change(func(_ *runpb.WorkerPool, c *runpb.Container) {
			c.Env = []*runpb.EnvVar{{Name: "CLOUD_RUN_WORKER_POOL", Values: &runpb.EnvVar_Value{Value: "x"}}}
		}),
		"containers[0].resources.limits": change(func(_ *runpb.WorkerPool, c *runpb.Container) { c.Resources.Limits["memory"] = "much" }),
		"containers[0].startupProbe|port": change(func(_ *runpb.WorkerPool, c *runpb.Container) {
			c.StartupProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: "/"}}}
		}),
		"containers[0].startupProbe|240": change(func(_ *runpb.WorkerPool, c *runpb.Container) {
			c.StartupProbe = &runpb.Probe{PeriodSeconds: 240, FailureThreshold: 2, ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: 1}}}
		}),
		"containers[0].dependsOn|nosuch": change(func(_ *runpb.WorkerPool, c *runpb.Container) { named("a", c, "nosuch") }),
		"dependsOn": change(func(p *runpb.WorkerPool, c *runpb.Container) {
			p.Template.Containers = append(p.Template.Containers, named("b", proto.CloneOf(c), "a"))
			named("a", c, "b")
		}),
		"scaling.manualInstanceCount|-1": change(func(p *runpb.WorkerPool, _ *runpb.Container) {
			p.Scaling.ManualInstanceCount = proto.Int32(-1)
		}),
		"instanceSplits|sum to 90": change(func(p *runpb.WorkerPool, _ *runpb.Container) {
			p.InstanceSplits = []*runpb.InstanceSplit{split("mill-00001-abc", 60), split("mill-00002-abc", 30)}
		}),
		"instanceSplits[0].percent|101": change(func(p *runpb.WorkerPool, _ *runpb.Container) {
			p.InstanceSplits = []*runpb.InstanceSplit{split("mill-00001-abc", 101), split("mill-00002-abc", -1)}
		}),
		"instanceSplits[0].revision|other-00001-abc": change(func(p *runpb.WorkerPool, _ *runpb.Container) {
			p.InstanceSplits = []*runpb.InstanceSplit{split("other-00001-abc", 100)}
		}),
		"instanceSplits|mill-00009-abc": change(func(p *runpb.WorkerPool, _ *runpb.Container) {
			p.InstanceSplits = []*runpb.InstanceSplit{split("mill-00009-abc", 100)}
		}),
		"template.revision|other": change(func(p *runpb.WorkerPool, _ *runpb.Container) { p.Template.Revision = "other-1" }),
	}
}

// absent checks that there is no worker pool, and what is said of that.
func (w *workers) absent() {
	w.Host.Helper()
	if p, err := w.pools.ListWorkerPools(w.ctx, &runpb.ListWorkerPoolsRequest{Parent: rig.Parent}).Next(); err != iterator.Done {
		w.Host.Errorf("there is %v, %v", p, err)
	}
	if n := len(pidsOf(w.Daemon)); n != 0 {
		w.Host.Errorf("%d processes run for nobody", n)
	}
	name := poolName("mill")
	_, get := w.pools.GetWorkerPool(w.ctx, &runpb.GetWorkerPoolRequest{Name: name})
	_, update := w.pools.UpdateWorkerPool(w.ctx, &runpb.UpdateWorkerPoolRequest{WorkerPool: &runpb.WorkerPool{Name: name, Template: &runpb.WorkerPoolRevisionTemplate{Containers: []*runpb.Container{w.script(forever)}}}})
	_, remove := w.pools.DeleteWorkerPool(w.ctx, &runpb.DeleteWorkerPoolRequest{Name: name})
	_, list := w.revisions.ListRevisions(w.ctx, &runpb.ListRevisionsRequest{Parent: name}).Next()
	for verb, err := range map[string]error{"get": get, "update": update, "delete": remove, "list revisions": list} {
		if status.Code(err) != codes.NotFound && (verb != "list revisions" || err != iterator.Done) {
			w.Host.Errorf("%s: %v", verb, err)
		}
	}
	if _, err := w.deploys("mill", pool(1, &runpb.Container{Image: "oci-archive:/nosuch.tar"})); err == nil {
		w.Host.Error("an image that is not there is deployed")
	}
	if _, err := w.pools.GetWorkerPool(w.ctx, &runpb.GetWorkerPoolRequest{Name: name}); err == nil {
		w.deleted("mill") // it may be there, as failed
	}
}

// unmasked makes a worker pool and asks for changes that there are not.
func (w *workers) unmasked(good *runpb.Container) {
	w.Host.Helper()
	p := w.deployed("mill", pool(1, good))
	before := w.number(1)
	for _, path := range []string{"nosuch", "template.nosuch", "scaling.min_instance_count"} {
		_, err := w.pools.UpdateWorkerPool(w.ctx, &runpb.UpdateWorkerPoolRequest{WorkerPool: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}}})
		if err == nil { // the client itself may refuse it, over REST
			w.Host.Errorf("a mask of %s is accepted", path)
		}
	}
	if now := w.number(1); !sameProcesses(now, before) {
		w.Host.Errorf("the processes are %v, were %v", now, before)
	}
	w.deleted("mill")
}

// What no client of Google's would send is refused, too.
func TestBadRequestsForWorkerPools(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.Serve()
	client := d.HTTPClient()
	defer client.CloseIdleConnections()
	base := "http://daemon/v2/" + rig.Parent + "/workerPools"
	for _, c := range []struct {
		method, path, body string
		code               int
		word               string
	}{
		{"POST", "?workerPoolId=mill", `{`, 400, ""},
		{"POST", "?workerPoolId=mill", `{"template":{"containers":[{"image":1}]}}`, 400, "image"},
		{"POST", "?workerPoolId=mill", `{"template":{"containers":[]},"instances":3}`, 400, "instances"},
		{"POST", "?workerPoolId=mill", `{"scaling":{"manualInstanceCount":1e99},"template":{}}`, 400, "manualInstanceCount"},
		{"POST", "", `{"template":{"containers":[{"image":"x"}]}}`, 400, "workerPoolId"},
		{"POST", "?workerPoolId=mill&nosuch=1", `{}`, 400, "nosuch"},
		{"PATCH", "/mill?updateMask=scaling", `{"scaling":{"manualInstanceCount":1}}`, 404, ""},
		{"GET", "/mill", "", 404, "mill"},
		{"GET", "/mill/revisions/mill-1", "", 404, ""},
		{"DELETE", "/mill?etag=x", "", 404, ""},
		{"GET", "?pageSize=-1", "", 400, "pageSize"},
		{"GET", "?pageToken=x", "", 400, "pageToken"},
	} {
		r, err := http.NewRequest(c.method, base+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body) // what there is of it is shown
		_ = resp.Body.Close()
		if resp.StatusCode != c.code || !strings.Contains(string(text), c.word) {
			t.Errorf("%s %s %s: %s, want %d and %q\n%s", c.method, c.path, c.body, resp.Status, c.code, c.word, rig.Clip(string(text)))
		}
	}
	if n := len(pidsOf(d)); n != 0 {
		t.Errorf("%d processes run for nobody", n)
	}
}
