package v2_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"path"
	"slices"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/control/controltest"
)

// poolClients are Google's clients for Go.
type poolClients struct {
	*testing.T
	world     *controltest.World
	pools     *run.WorkerPoolsClient
	revisions *run.RevisionsClient
}

// contract: WP-2 WP-7 WP-8
// Google's client for Go, over REST and over gRPC.
func TestGoClientOfWorkerPools(t *testing.T) {
	t.Parallel()
	for _, over := range []string{"rest", "grpc"} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			c := newPoolClients(t, over)
			pool := c.create()
			pool = c.split(pool)
			c.allow(pool)
			c.remove(pool)
		})
	}
}

func newPoolClients(t *testing.T, over string) (c poolClients) {
	t.Helper()
	d := open(t)
	c.T, c.world = t, d.world
	server := httptest.NewServer(d.rest)
	t.Cleanup(server.Close)
	rest := []option.ClientOption{option.WithEndpoint(server.URL), option.WithHTTPClient(server.Client())}
	conn := option.WithGRPCConn(serve(t, d.world.Control))
	var err, err2 error
	if over == "rest" {
		c.pools, err = run.NewWorkerPoolsRESTClient(t.Context(), rest...)
		c.revisions, err2 = run.NewRevisionsRESTClient(t.Context(), rest...)
	} else {
		c.pools, err = run.NewWorkerPoolsClient(t.Context(), conn)
		c.revisions, err2 = run.NewRevisionsClient(t.Context(), conn)
	}
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return c
}

// operation is a long-running operation in Google's client.
type operation[M proto.Message] interface {
	Name() string
	Poll(ctx context.Context, opts ...gax.CallOption) (M, error)
	Metadata() (*runpb.WorkerPool, error)
}

// ended is what an operation that was begun comes to.
func ended[M proto.Message](c poolClients, op operation[M], err error) M {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
	if _, err := c.pools.WaitOperation(c.Context(), &longrunningpb.WaitOperationRequest{Name: op.Name()}); err != nil {
		c.Fatal(err)
	}
	m, err := op.Poll(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if about, err := op.Metadata(); err != nil || about.GetLatestCreatedRevision() == "" {
		c.Errorf("metadata: %v, %v", about, err)
	}
	return m
}

// create creates a worker pool, after a dry run.
func (c poolClients) create() *runpb.WorkerPool {
	c.Helper()
	r := &runpb.CreateWorkerPoolRequest{Parent: controltest.Parent, WorkerPoolId: "work", WorkerPool: controltest.NewWorkerPool(), ValidateOnly: true}
	if op, err := c.pools.CreateWorkerPool(c.Context(), r); err != nil || !op.Done() {
		c.Errorf("validated: %v, %v", op, err)
	}
	name := controltest.Parent + "/workerPools/work"
	if _, err := c.pools.GetWorkerPool(c.Context(), &runpb.GetWorkerPoolRequest{Name: name}); status.Code(err) != codes.NotFound {
		c.Errorf("what was only validated: %v", err)
	}
	r.ValidateOnly = false
	op, err := c.pools.CreateWorkerPool(c.Context(), r)
	pool := ended(c, op, err)
	if pool.GetName() != name || pool.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || pool.GetScaling().GetManualInstanceCount() != 1 {
		c.Errorf("created: %v", pool)
	}
	return pool
}

// split makes a second revision and shares ten instances.
func (c poolClients) split(pool *runpb.WorkerPool) *runpb.WorkerPool {
	c.Helper()
	first, ten := pool.GetLatestReadyRevision(), int32(10)
	pool.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: &ten}
	pool.InstanceSplits = []*runpb.InstanceSplit{
		{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, Revision: path.Base(first), Percent: 30},
		{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST, Percent: 70},
	}
	op, err := c.pools.UpdateWorkerPool(c.Context(), &runpb.UpdateWorkerPoolRequest{
		WorkerPool: pool, ForceNewRevision: true, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"scaling", "instance_splits"}},
	})
	pool = ended(c, op, err)
	second := pool.GetLatestReadyRevision()
	if n, m := len(c.world.Fleet.Living(first)), len(c.world.Fleet.Living(second)); n != 3 || m != 7 {
		c.Errorf("%d and %d instances", n, m)
	}
	var names []string
	for it := c.revisions.ListRevisions(c.Context(), &runpb.ListRevisionsRequest{Parent: pool.GetName()}); ; {
		r, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			c.Fatal(err)
		}
		names = append(names, r.GetName())
	}
	if !slices.Equal(names, []string{second, first}) {
		c.Errorf("revisions: %q", names)
	}
	if r, err := c.revisions.GetRevision(c.Context(), &runpb.GetRevisionRequest{Name: first}); err != nil || r.GetName() != first {
		c.Errorf("the first: %v, %v", r, err)
	}
	if _, err := c.revisions.DeleteRevision(c.Context(), &runpb.DeleteRevisionRequest{Name: first}); err == nil {
		c.Error("a revision with instances was deleted")
	}
	return pool
}

// allow sets and reads the policy.
func (c poolClients) allow(pool *runpb.WorkerPool) {
	c.Helper()
	policy := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.viewer", Members: []string{"user:a@example.com"}}}}
	if _, err := c.pools.SetIamPolicy(c.Context(), &iampb.SetIamPolicyRequest{Resource: pool.GetName(), Policy: policy}); err != nil {
		c.Fatal(err)
	}
	got, err := c.pools.GetIamPolicy(c.Context(), &iampb.GetIamPolicyRequest{Resource: pool.GetName()})
	if err != nil || len(got.GetBindings()) != 1 || !proto.Equal(got.GetBindings()[0], policy.GetBindings()[0]) {
		c.Errorf("the policy is %v, %v", got, err)
	}
	permissions := []string{"run.workerpools.get"}
	may, err := c.pools.TestIamPermissions(c.Context(), &iampb.TestIamPermissionsRequest{Resource: pool.GetName(), Permissions: permissions})
	if err != nil || !slices.Equal(may.GetPermissions(), permissions) {
		c.Errorf("permissions: %v, %v", may, err)
	}
}

// remove deletes the worker pool, the only one.
func (c poolClients) remove(pool *runpb.WorkerPool) {
	c.Helper()
	it := c.pools.ListWorkerPools(c.Context(), &runpb.ListWorkerPoolsRequest{Parent: controltest.Parent})
	if p, err := it.Next(); err != nil || p.GetName() != pool.GetName() {
		c.Errorf("worker pools: %v, %v", p, err)
	}
	if _, err := it.Next(); !errors.Is(err, iterator.Done) {
		c.Errorf("there is another one: %v", err)
	}
	op, err := c.pools.DeleteWorkerPool(c.Context(), &runpb.DeleteWorkerPoolRequest{Name: pool.GetName(), Etag: pool.GetEtag()})
	if gone := ended(c, op, err); gone.GetDeleteTime() == nil {
		c.Errorf("deleted: %v", gone)
	}
	if _, err := c.pools.GetWorkerPool(c.Context(), &runpb.GetWorkerPoolRequest{Name: pool.GetName()}); status.Code(err) != codes.NotFound {
		c.Errorf("the deleted one: %v", err)
	}
}
