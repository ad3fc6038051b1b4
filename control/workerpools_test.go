package control_test

import (
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/control"
	"runnel/control/controltest"
	"runnel/scheduler/serving"
)

// createPool makes a worker pool that must be accepted, and returns it once the
// operation is done.
func createPool(t *testing.T, w *controltest.World, id string, p *runpb.WorkerPool) (*runpb.WorkerPool, *longrunningpb.Operation) {
	t.Helper()
	got, op, err := w.Control.CreateWorkerPool(t.Context(), &runpb.CreateWorkerPoolRequest{Parent: parent, WorkerPoolId: id, WorkerPool: p})
	if err != nil {
		t.Fatalf("create %s: %v", id, err)
	}
	op = w.WaitFor(op.GetName())
	return getPool(t, w, got.GetName()), op
}

// updatePool changes a worker pool, which must be accepted, and returns it once
// the operation is done.
func updatePool(t *testing.T, w *controltest.World, p *runpb.WorkerPool, mask ...string) (*runpb.WorkerPool, *longrunningpb.Operation) {
	t.Helper()
	op := w.WaitFor(beginPoolUpdate(t, w, p, mask...).GetName())
	return getPool(t, w, p.GetName()), op
}

// beginPoolUpdate asks for a change of a worker pool, which must be accepted.
func beginPoolUpdate(t *testing.T, w *controltest.World, p *runpb.WorkerPool, mask ...string) *longrunningpb.Operation {
	t.Helper()
	r := &runpb.UpdateWorkerPoolRequest{WorkerPool: p}
	if len(mask) > 0 {
		r.UpdateMask = &fieldmaskpb.FieldMask{Paths: mask}
	}
	_, op, err := w.Control.UpdateWorkerPool(t.Context(), r)
	if err != nil {
		t.Fatalf("update %s: %v", p.GetName(), err)
	}
	return op
}

// getPool reads a worker pool, which must exist.
func getPool(t *testing.T, w *controltest.World, name string) *runpb.WorkerPool {
	t.Helper()
	p, err := w.Control.WorkerPool(t.Context(), name)
	if err != nil {
		t.Fatalf("get %s: %v", name, err)
	}
	return p
}

// instances wants a number of instances of a worker pool.
func instances(n int32) *runpb.WorkerPoolScaling {
	return &runpb.WorkerPoolScaling{ManualInstanceCount: &n}
}

// living is how many instances of a revision live.
func living(w *controltest.World, revision string) int { return len(w.Fleet.Living(revision)) }

// contract: WP-1 WP-2 WP-8
func TestWorkerPoolGetsReady(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	p, op, err := w.Control.CreateWorkerPool(t.Context(), &runpb.CreateWorkerPoolRequest{Parent: parent, WorkerPoolId: "work", WorkerPool: controltest.NewWorkerPool()})
	if err != nil {
		t.Fatal(err)
	}
	if !p.GetReconciling() || p.GetGeneration() != 1 || p.GetUid() == "" || op.GetDone() || p.GetTerminalCondition().GetType() != "Ready" {
		t.Errorf("at first: %v", p)
	}
	got := response[*runpb.WorkerPool](t, w.WaitFor(op.GetName()))
	if got.GetName() != parent+"/workerPools/work" || got.GetTerminalCondition().GetState() != succeeded || got.GetReconciling() || got.GetObservedGeneration() != 1 {
		t.Errorf("in the end: %v", got)
	}
	if got.GetScaling().GetManualInstanceCount() != 1 || len(got.GetInstanceSplits()) != 1 || got.GetInstanceSplits()[0].GetPercent() != 100 {
		t.Errorf("defaults: %v", got)
	}
	if s := got.GetInstanceSplitStatuses(); len(s) != 1 || s[0].GetPercent() != 100 || s[0].GetType() != runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST {
		t.Errorf("splits: %v", s)
	}
	for _, kind := range []string{"ResourcesAvailable", "ContainerReady", "ContainerHealthy"} {
		if condition(got.GetConditions(), kind).GetState() != succeeded {
			t.Errorf("%s: %v", kind, got.GetConditions())
		}
	}
	r := getRevision(t, w, got.GetLatestReadyRevision())
	if !regexp.MustCompile(`/workerPools/work/revisions/work-00001-[a-z]{3}$`).MatchString(r.GetName()) || r.GetLabels()["run.googleapis.com/workerPool"] != "work" {
		t.Errorf("revision: %v", r)
	}
	if k := r.GetContainers()[0]; len(k.GetPorts()) != 0 || k.GetStartupProbe() != nil || k.GetResources().GetCpuIdle() || r.GetTimeout() != nil || r.GetMaxInstanceRequestConcurrency() != 0 {
		t.Errorf("it is as if requests came: %v", r)
	}
	if scale, _ := w.Fleet.Scale(r.GetName()); scale != (serving.Scale{Manual: 1, Max: 1}) || living(w, r.GetName()) != 1 {
		t.Errorf("%v, %d instances", scale, living(w, r.GetName()))
	}
	for _, name := range []string{got.GetName(), r.GetName()} {
		if all, err := w.Control.ServiceInstances(t.Context(), name); err != nil || len(all) != 1 || !all[0].Live || all[0].Revision != r.GetName() {
			t.Errorf("instances of %s: %v, %v", name, all, err)
		}
	}
}

// A number of instances is exact, and shared by percent; those of a new revision
// are there before the old ones go.
//
// contract: WP-2 WP-7
func TestInstancesAreSplit(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(10)
	p, _ := createPool(t, w, "work", spec)
	first := p.GetLatestReadyRevision()
	if living(w, first) != 10 {
		t.Errorf("%d instances", living(w, first))
	}
	// The split pins the first revision: the second has nothing, and starts nothing.
	p.InstanceSplits = []*runpb.InstanceSplit{{Revision: shortName(first), Percent: 100}}
	p.Template.Containers[0].Args = []string{"second"}
	p, op := updatePool(t, w, p)
	second := p.GetLatestReadyRevision()
	if op.GetError() != nil || second == first || living(w, first) != 10 || living(w, second) != 0 {
		t.Errorf("pinned: %v, %d and %d instances", p, living(w, first), living(w, second))
	}
	if strings.Contains(strings.Join(w.Fleet.Events(), "\n"), "check "+shortName(second)) {
		t.Errorf("the second was tried: %v", w.Fleet.Events())
	}
	p.InstanceSplits = []*runpb.InstanceSplit{{Revision: shortName(first), Percent: 30}, {Percent: 70}}
	p, _ = updatePool(t, w, p, "instanceSplits")
	if living(w, first) != 3 || living(w, second) != 7 || len(p.GetInstanceSplitStatuses()) != 2 {
		t.Errorf("split: %v, %d and %d instances", p, living(w, first), living(w, second))
	}
	if _, _, err := w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: first}); err == nil {
		t.Error("a revision with instances was deleted")
	}
	p.InstanceSplits = nil
	p, _ = updatePool(t, w, p, "instance_splits")
	if living(w, first) != 0 || living(w, second) != 10 {
		t.Errorf("to the latest: %d and %d instances", living(w, first), living(w, second))
	}
	for _, n := range []int32{0, 4} {
		p, _ = updatePool(t, w, &runpb.WorkerPool{Name: p.GetName(), Scaling: instances(n)}, "scaling.manualInstanceCount")
		if living(w, second) != int(n) || p.GetLatestCreatedRevision() != second {
			t.Errorf("%d instances, want %d", living(w, second), n)
		}
	}
	_, op, err := w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	if done := w.WaitFor(op.GetName()); response[*runpb.Revision](t, done).GetName() != first {
		t.Errorf("deleted: %v", done)
	}
}

// What does not change says since when.
func TestConditionsOfAWorkerPoolKeepTheirTimes(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	before := getPool(t, w, w.WorkerPool("work"))
	after, _ := updatePool(t, w, &runpb.WorkerPool{Name: before.GetName(), Description: "d"}, "description")
	if len(after.GetConditions()) == 0 || after.GetEtag() == before.GetEtag() {
		t.Errorf("%v", after)
	}
	for _, c := range before.GetConditions() {
		if !proto.Equal(c, condition(after.GetConditions(), c.GetType())) {
			t.Errorf("%v, and before %v", after.GetConditions(), c)
		}
	}
}

// contract: WP-2
func TestAWorkerPoolWithoutInstancesIsReady(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(0)
	p, op := createPool(t, w, "work", spec)
	if op.GetError() != nil || p.GetTerminalCondition().GetState() != succeeded || living(w, p.GetLatestReadyRevision()) != 0 {
		t.Errorf("%v: %v", op, p)
	}
	if all, err := w.Control.ServiceInstances(t.Context(), p.GetName()); err != nil || len(all) != 0 {
		t.Errorf("it has had instances: %v, %v", all, err)
	}
}

// contract: WP-1 WP-9
func TestWorkerPoolRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.WorkerPool("work")
	ctx := t.Context()
	_, _, err := w.Control.CreateWorkerPool(ctx, &runpb.CreateWorkerPoolRequest{Parent: parent, WorkerPoolId: "work", WorkerPool: controltest.NewWorkerPool()})
	fails(t, err, codes.AlreadyExists, "'work'")
	_, _, err = w.Control.CreateWorkerPool(ctx, &runpb.CreateWorkerPoolRequest{Parent: parent, WorkerPoolId: "Work", WorkerPool: controltest.NewWorkerPool()})
	violates(t, err, "workerPoolId")
	_, err = w.Control.WorkerPool(ctx, parent+"/workerPools/other")
	fails(t, err, codes.NotFound, "Resource 'other' of kind 'WORKER_POOL'")
	_, err = w.Control.Service(ctx, parent+"/services/work")
	fails(t, err, codes.NotFound, "'work'")
	for field, change := range map[string]func(*runpb.WorkerPool){
		"workerPool.template.containers[0].ports":          func(p *runpb.WorkerPool) { p.Template.Containers[0].Ports = []*runpb.ContainerPort{{}} },
		"workerPool.template.containers":                   func(p *runpb.WorkerPool) { p.Template.Containers = eleven() },
		"workerPool.scaling.manualInstanceCount":           func(p *runpb.WorkerPool) { p.Scaling = instances(-1) },
		"workerPool.instanceSplits":                        func(p *runpb.WorkerPool) { p.InstanceSplits[0].Percent = 99 },
		"workerPool.instanceSplits[0].revision":            func(p *runpb.WorkerPool) { p.InstanceSplits[0].Type, p.InstanceSplits[0].Revision = 2, "work-none" },
		"workerPool.template.containers[0].image":          func(p *runpb.WorkerPool) { p.Template.Containers[0].Image = "UPPER//case" },
		"workerPool.template.containers[0].readinessProbe": func(p *runpb.WorkerPool) { p.Template.Containers[0].ReadinessProbe = &runpb.Probe{} },
	} {
		p := proto.CloneOf(getPool(t, w, name))
		change(p)
		_, _, err := w.Control.UpdateWorkerPool(ctx, &runpb.UpdateWorkerPoolRequest{WorkerPool: p})
		violates(t, err, field)
	}
	for _, path := range []string{"template.timeout", "traffic", "uid", "instanceSplits.percent"} {
		_, _, err := w.Control.UpdateWorkerPool(ctx, &runpb.UpdateWorkerPoolRequest{WorkerPool: &runpb.WorkerPool{Name: name}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}}})
		violates(t, err, "updateMask")
	}
}

// eleven are more containers than an instance may have.
func eleven() (all []*runpb.Container) {
	for range 11 {
		all = append(all, &runpb.Container{Image: controltest.Image})
	}
	return all
}

// Services and worker pools share ids, and nothing else.
func TestAWorkerPoolIsNoService(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	service, pool := w.Service("hello"), w.WorkerPool("hello")
	for parent, want := range map[string]string{service: service, pool: pool, parent + "/services/-": service, parent + "/workerPools/-": pool} {
		if got := revisions(t, w, parent); len(got) != 1 || !strings.HasPrefix(got[0], want+"/") {
			t.Errorf("revisions of %s: %v", parent, got)
		}
	}
	services, _, err := w.Control.Services(t.Context(), control.Query[*runpb.Service]{Parent: parent})
	pools, _, err2 := w.Control.WorkerPools(t.Context(), control.Query[*runpb.WorkerPool]{Parent: parent})
	if len(services) != 1 || len(pools) != 1 || pools[0].GetName() != pool || err != nil || err2 != nil {
		t.Errorf("%v, %v, %v, %v", services, pools, err, err2)
	}
	if _, err := w.Control.SetPolicy(t.Context(), pool, public(), nil); err != nil {
		t.Error(err)
	}
	if p, err := w.Control.Policy(t.Context(), service); err != nil || len(p.GetBindings()) > 0 {
		t.Errorf("the service's policy: %v, %v", p, err)
	}
	_, op, err := w.Control.DeleteWorkerPool(t.Context(), &runpb.DeleteWorkerPoolRequest{Name: pool})
	if err != nil {
		t.Fatal(err)
	}
	if gone := response[*runpb.WorkerPool](t, w.WaitFor(op.GetName())); gone.GetName() != pool || gone.GetDeleteTime() == nil {
		t.Errorf("deleted: %v", gone)
	}
	if len(revisions(t, w, pool)) > 0 || len(revisions(t, w, service)) != 1 || len(w.Fleet.Revisions()) != 1 {
		t.Errorf("left: %v", w.Fleet.Revisions())
	}
	w.WorkerPool("hello")
	if p, err := w.Control.Policy(t.Context(), pool); err != nil || len(p.GetBindings()) > 0 {
		t.Errorf("a new one has the old one's policy: %v, %v", p, err)
	}
}
