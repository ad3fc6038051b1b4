package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
)

// CreateWorkerPool stores a new worker pool. It is ready, and the operation
// done, when its revision is and has its instances.
func (c *Control) CreateWorkerPool(ctx context.Context, r *runpb.CreateWorkerPoolRequest) (*runpb.WorkerPool, *longrunningpb.Operation, error) {
	parent, err := c.parse("parent", r.GetParent(), atLocation)
	if err != nil {
		return nil, nil, err
	}
	if err := checkParent(parent); err != nil {
		return nil, nil, err
	}
	id := r.GetWorkerPoolId()
	if id == "" {
		return nil, nil, violation("workerPoolId", "is missing: want the name of the worker pool")
	}
	n := parent.child(atWorkerPool, id)
	a := applyService{control: c, target: n, desire: c.wantsPool(n, r.GetWorkerPool(), nil, createPoolRequest), create: true}
	w, op, err := a.do(ctx, r.GetValidateOnly())
	return as[*runpb.WorkerPool](w), op, err
}

// UpdateWorkerPool changes what is wanted of a worker pool: the fields that the
// mask names, or all of them without one. Another template makes a new revision,
// and so does force_new_revision. With allow_missing a worker pool that does not
// exist is created.
func (c *Control) UpdateWorkerPool(ctx context.Context, r *runpb.UpdateWorkerPoolRequest) (*runpb.WorkerPool, *longrunningpb.Operation, error) {
	from := r.GetWorkerPool()
	n, err := c.parseOne("workerPool.name", from.GetName(), atWorkerPool)
	if err != nil {
		return nil, nil, err
	}
	if err := checkParent(n.up(atLocation)); err != nil {
		return nil, nil, err
	}
	mask := maskPaths(r.GetUpdateMask().GetPaths())
	a := applyService{
		control: c, target: n, desire: c.wantsPool(n, from, mask, updatePoolRequest), mask: mask,
		create: r.GetAllowMissing(), update: true, etag: from.GetEtag(), renew: r.GetForceNewRevision(),
	}
	w, op, err := a.do(ctx, r.GetValidateOnly())
	return as[*runpb.WorkerPool](w), op, err
}

// DeleteWorkerPool deletes a worker pool with its revisions. The operation is
// done when nothing is left.
func (c *Control) DeleteWorkerPool(ctx context.Context, r *runpb.DeleteWorkerPoolRequest) (*runpb.WorkerPool, *longrunningpb.Operation, error) {
	gone, op, err := c.deleteService(ctx, r, atWorkerPool)
	return as[*runpb.WorkerPool](gone), op, err
}

// WorkerPool is a worker pool as it stands. Its location may be "-", if no other
// one has a worker pool of that id.
func (c *Control) WorkerPool(_ context.Context, name string) (*runpb.WorkerPool, error) {
	s, err := c.findService(name, atWorkerPool)
	if err != nil {
		return nil, err
	}
	return showPool(poolOf(s)), nil
}

// WorkerPools is a page of the worker pools of a location, the newest first.
func (c *Control) WorkerPools(_ context.Context, q Query[*runpb.WorkerPool]) (items []*runpb.WorkerPool, next string, err error) {
	parent, err := c.parse("parent", q.Parent, atLocation)
	if err != nil {
		return nil, "", err
	}
	return page(c, kindWorkerPools, parent, q, func(f found) (*runpb.WorkerPool, error) {
		w := &runpb.WorkerPool{}
		if err := proto.Unmarshal(f.value, w); err != nil {
			return nil, notFound(split(f.name))
		}
		return showPool(w), nil
	})
}

// showPool adds to a worker pool, which is the caller's own, what is not stored
// with it: its version.
func showPool(w *runpb.WorkerPool) *runpb.WorkerPool {
	w.Etag = Etag(w.GetName(), w.GetUpdateTime().AsTime())
	return w
}
