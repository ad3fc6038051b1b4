package control

import (
	"context"
	"errors"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
)

// errSeam is answered by what is not built yet.
var errSeam = errors.New("not built yet")

// CreateWorkerPool stores a new worker pool. It is ready, and the operation
// done, when its revision is and has its instances.
func (c *Control) CreateWorkerPool(context.Context, *runpb.CreateWorkerPoolRequest) (*runpb.WorkerPool, *longrunningpb.Operation, error) {
	return nil, nil, errSeam
}

// UpdateWorkerPool changes what is wanted of a worker pool: the fields that the
// mask names, or all of them without one. Another template makes a new revision,
// and so does force_new_revision. With allow_missing a worker pool that does not
// exist is created.
func (c *Control) UpdateWorkerPool(context.Context, *runpb.UpdateWorkerPoolRequest) (*runpb.WorkerPool, *longrunningpb.Operation, error) {
	return nil, nil, errSeam
}

// DeleteWorkerPool deletes a worker pool with its revisions. The operation is
// done when nothing is left.
func (c *Control) DeleteWorkerPool(context.Context, *runpb.DeleteWorkerPoolRequest) (*runpb.WorkerPool, *longrunningpb.Operation, error) {
	return nil, nil, errSeam
}

// WorkerPool is a worker pool as it stands. Its location may be "-", if no other
// one has a worker pool of that id.
func (c *Control) WorkerPool(context.Context, string) (*runpb.WorkerPool, error) {
	return nil, errSeam
}

// WorkerPools is a page of the worker pools of a location, the newest first.
func (c *Control) WorkerPools(context.Context, Query[*runpb.WorkerPool]) (items []*runpb.WorkerPool, next string, err error) {
	return nil, "", errSeam
}
