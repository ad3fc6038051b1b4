package integration

import (
	"errors"
	"path"
	"slices"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/integration/rig"
)

// contract: WP-2, WP-7, WP-8, WP-9
// Google's client for Go, over REST and over gRPC, before and after a kill.
func TestGoClientOfWorkerPools(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.Serve()
	for _, id := range []string{"rest", "grpc"} {
		w := workersOf(d, id == "rest")
		first := w.creates(id)
		second := w.changes(first)
		w.splits(first, second)
		d.Kill()
		d.Start()
		w.removes(second)
	}
}

// creates creates a worker pool.
func (w *workers) creates(id string) *runpb.WorkerPool {
	w.Host.Helper()
	c := w.server()
	c.Env = greeting("one")
	want := pool(-1, c)
	request := &runpb.CreateWorkerPoolRequest{Parent: rig.Parent, WorkerPoolId: id, WorkerPool: want, ValidateOnly: true}
	if op, err := w.pools.CreateWorkerPool(w.ctx, request); err != nil {
		w.Host.Fatal(err)
	} else if _, err := op.Wait(w.ctx); err != nil {
		w.Host.Errorf("validate: %v", err)
	}
	if _, err := w.pools.GetWorkerPool(w.ctx, &runpb.GetWorkerPoolRequest{Name: poolName(id)}); status.Code(err) != codes.NotFound {
		w.Host.Errorf("a worker pool that was only validated: %v", err)
	}
	request.ValidateOnly = false
	op, err := w.pools.CreateWorkerPool(w.ctx, request)
	if err != nil {
		w.Host.Fatal(err)
	}
	p, err := op.Wait(w.ctx)
	if err != nil {
		w.Host.Fatal(err)
	}
	if p.GetName() != poolName(id) || p.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || p.GetReconciling() || p.GetUid() == "" {
		w.Host.Errorf("created: %v", p)
	}
	if _, err := w.pools.CreateWorkerPool(w.ctx, request); !refused(err, codes.AlreadyExists, codes.Aborted) {
		w.Host.Errorf("create again: %v", err)
	}
	w.greets(w.number(1), "one")
	policy := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.developer", Members: []string{"user:ada@example.com"}}}}
	if _, err := w.pools.SetIamPolicy(w.ctx, &iampb.SetIamPolicyRequest{Resource: p.GetName(), Policy: policy}); err != nil {
		w.Host.Error(err)
	}
	if got, err := w.pools.GetIamPolicy(w.ctx, &iampb.GetIamPolicyRequest{Resource: p.GetName()}); err != nil || len(got.GetBindings()) != 1 || !proto.Equal(got.GetBindings()[0], policy.GetBindings()[0]) {
		w.Host.Errorf("the policy is %v, %v", got, err)
	}
	return p
}

// greets checks the environment of processes.
func (w *workers) greets(pids map[string]bool, text string) {
	w.Host.Helper()
	for pid := range pids {
		if got := rig.Environ(pid)["GREETING"]; got != text {
			w.Host.Errorf("process %s has %q in its environment, want %q", pid, got, text)
		}
	}
}

// changes changes a worker pool with masks, without any, and with an old etag.
func (w *workers) changes(p *runpb.WorkerPool) *runpb.WorkerPool {
	w.Host.Helper()
	before := w.number(1)
	change := proto.CloneOf(p)
	change.Labels = map[string]string{"team": "data"}
	change.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: proto.Int32(2)}
	change.Template.Containers[0].Env = greeting("not this one")
	masked := w.updated(&runpb.UpdateWorkerPoolRequest{WorkerPool: change, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels", "scaling.manual_instance_count"}}})
	if masked.GetLabels()["team"] != "data" || masked.GetScaling().GetManualInstanceCount() != 2 || masked.GetLatestReadyRevision() != p.GetLatestReadyRevision() {
		w.Host.Errorf("after the update of labels and scaling: %v", masked)
	}
	two := w.number(2)
	w.greets(two, "one")
	for pid := range before {
		if !two[pid] {
			w.Host.Errorf("process %s has been replaced by a change of scaling", pid)
		}
	}

	change = proto.CloneOf(masked)
	change.Template.Containers[0].Env = greeting("two")
	change.Labels = nil
	whole := w.updated(&runpb.UpdateWorkerPoolRequest{WorkerPool: change})
	if len(whole.GetLabels()) != 0 || whole.GetLatestReadyRevision() == p.GetLatestReadyRevision() || whole.GetGeneration() <= masked.GetGeneration() {
		w.Host.Errorf("after the update of everything: %v", whole)
	}
	w.split(map[string]int{path.Base(whole.GetLatestReadyRevision()): 2})
	w.greets(w.number(2), "two")

	change.Etag = p.GetEtag()
	if _, err := w.pools.UpdateWorkerPool(w.ctx, &runpb.UpdateWorkerPoolRequest{WorkerPool: change}); status.Code(err) != codes.Aborted {
		w.Host.Errorf("an update of what was changed: %v", err)
	}
	again := w.updated(&runpb.UpdateWorkerPoolRequest{WorkerPool: whole, ForceNewRevision: true})
	if again.GetLatestReadyRevision() == whole.GetLatestReadyRevision() {
		w.Host.Errorf("no new revision was made: %v", again)
	}
	w.split(map[string]int{path.Base(again.GetLatestReadyRevision()): 2})
	return again
}

// updated is updates of what must succeed.
func (w *workers) updated(r *runpb.UpdateWorkerPoolRequest) *runpb.WorkerPool {
	w.Host.Helper()
	p, err := w.updates(r)
	if err != nil {
		w.Host.Fatal(err)
	}
	return p
}

// splits gives all instances to the first revision, and deletes the last one.
func (w *workers) splits(first, last *runpb.WorkerPool) {
	w.Host.Helper()
	var names []string
	for it := w.revisions.ListRevisions(w.ctx, &runpb.ListRevisionsRequest{Parent: last.GetName()}); ; {
		r, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			w.Host.Fatal(err)
		}
		names = append(names, r.GetName())
	}
	one, three := first.GetLatestReadyRevision(), last.GetLatestReadyRevision()
	if len(names) != 3 || names[0] != three || names[2] != one {
		w.Host.Fatalf("the revisions are %q, want those from %s to %s", names, three, one)
	}
	r, err := w.revisions.GetRevision(w.ctx, &runpb.GetRevisionRequest{Name: one})
	if err != nil || r.GetContainers()[0].GetEnv()[0].GetValue() != "one" || len(r.GetContainers()[0].GetPorts()) != 0 {
		w.Host.Errorf("the first revision is %v, %v", r, err)
	}
	if _, err := w.revisions.DeleteRevision(w.ctx, &runpb.DeleteRevisionRequest{Name: three}); !refused(err, codes.FailedPrecondition, codes.InvalidArgument) {
		w.Host.Errorf("delete the revision that has instances: %v", err)
	}
	change := proto.CloneOf(last)
	change.InstanceSplits = []*runpb.InstanceSplit{{
		Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, Revision: path.Base(one), Percent: 100,
	}}
	change = w.updated(&runpb.UpdateWorkerPoolRequest{WorkerPool: change, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"instance_splits"}}})
	if s := change.GetInstanceSplitStatuses(); len(s) != 1 || s[0].GetPercent() != 100 || s[0].GetRevision() != path.Base(one) {
		w.Host.Errorf("the split is %v", s)
	}
	w.split(map[string]int{path.Base(one): 2})
	op, err := w.revisions.DeleteRevision(w.ctx, &runpb.DeleteRevisionRequest{Name: names[1]})
	if err != nil {
		w.Host.Fatal(err)
	}
	if _, err := op.Wait(w.ctx); err != nil {
		w.Host.Errorf("delete the revision in the middle: %v", err)
	}
	if _, err := w.revisions.GetRevision(w.ctx, &runpb.GetRevisionRequest{Name: names[1]}); status.Code(err) != codes.NotFound {
		w.Host.Errorf("the deleted revision: %v", err)
	}
}

// removes deletes a worker pool that is there as it was.
func (w *workers) removes(p *runpb.WorkerPool) {
	w.Host.Helper()
	w.greets(w.number(2), "one")
	var names []string
	for it := w.pools.ListWorkerPools(w.ctx, &runpb.ListWorkerPoolsRequest{Parent: rig.Parent}); ; {
		p, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			w.Host.Fatal(err)
		}
		names = append(names, p.GetName())
	}
	if !slices.Equal(names, []string{p.GetName()}) {
		w.Host.Errorf("the worker pools are %q", names)
	}
	w.deleted(path.Base(p.GetName()))
	if _, err := w.pools.GetWorkerPool(w.ctx, &runpb.GetWorkerPoolRequest{Name: p.GetName()}); status.Code(err) != codes.NotFound {
		w.Host.Errorf("the deleted worker pool: %v", err)
	}
	w.number(0)
}
