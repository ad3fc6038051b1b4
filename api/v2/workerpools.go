package v2

import (
	"context"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
)

// workerPools is the service of worker pools.
type workerPools struct {
	runpb.UnimplementedWorkerPoolsServer
	c *control.Control
}

// CreateWorkerPool implements runpb.WorkerPoolsServer.
func (s workerPools) CreateWorkerPool(ctx context.Context, r *runpb.CreateWorkerPoolRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.CreateWorkerPool(ctx, r)
	return op, err
}

// GetWorkerPool implements runpb.WorkerPoolsServer.
func (s workerPools) GetWorkerPool(ctx context.Context, r *runpb.GetWorkerPoolRequest) (*runpb.WorkerPool, error) {
	pool, err := s.c.WorkerPool(ctx, r.GetName())
	if pool.GetDeleteTime() != nil {
		leaving(append(pool.GetConditions(), pool.GetTerminalCondition())...)
	}
	return pool, err
}

// ListWorkerPools implements runpb.WorkerPoolsServer. It is of one location, as on
// Cloud Run, and every location there is can be reached. What has been deleted
// is gone, so showDeleted shows nothing more.
func (s workerPools) ListWorkerPools(ctx context.Context, r *runpb.ListWorkerPoolsRequest) (*runpb.ListWorkerPoolsResponse, error) {
	if locationOf(r.GetParent()) == anyID {
		return nil, status.Errorf(codes.InvalidArgument, "parent: %q is of all locations: want projects/PROJECT/locations/LOCATION with one of them", r.GetParent())
	}
	items, next, err := s.c.WorkerPools(ctx, query[*runpb.WorkerPool](r))
	if err != nil {
		return nil, err
	}
	return &runpb.ListWorkerPoolsResponse{WorkerPools: items, NextPageToken: next}, nil
}

// UpdateWorkerPool implements runpb.WorkerPoolsServer.
func (s workerPools) UpdateWorkerPool(ctx context.Context, r *runpb.UpdateWorkerPoolRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.UpdateWorkerPool(ctx, r)
	return op, err
}

// DeleteWorkerPool implements runpb.WorkerPoolsServer.
func (s workerPools) DeleteWorkerPool(ctx context.Context, r *runpb.DeleteWorkerPoolRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.DeleteWorkerPool(ctx, r)
	return op, err
}

// GetIamPolicy implements runpb.WorkerPoolsServer.
func (s workerPools) GetIamPolicy(ctx context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	return s.c.Policy(ctx, r.GetResource())
}

// SetIamPolicy implements runpb.WorkerPoolsServer.
func (s workerPools) SetIamPolicy(ctx context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	return s.c.SetPolicy(ctx, r.GetResource(), r.GetPolicy(), r.GetUpdateMask())
}

// TestIamPermissions implements runpb.WorkerPoolsServer.
func (s workerPools) TestIamPermissions(ctx context.Context, r *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	granted, err := s.c.TestPermissions(ctx, r.GetResource(), r.GetPermissions())
	if err != nil {
		return nil, err
	}
	return &iampb.TestIamPermissionsResponse{Permissions: granted}, nil
}
