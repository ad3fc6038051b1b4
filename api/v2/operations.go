package v2

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"runnel/control"
)

// operations is the service of long-running operations. It leaves
// CancelOperation unimplemented, as Cloud Run does: an execution is cancelled by
// its own method.
type operations struct {
	longrunningpb.UnimplementedOperationsServer
	c *control.Control
}

// ListOperations implements longrunningpb.OperationsServer.
func (s operations) ListOperations(ctx context.Context, r *longrunningpb.ListOperationsRequest) (*longrunningpb.ListOperationsResponse, error) {
	items, next, err := s.c.Operations(ctx, r.GetName(), r.GetFilter(), int(r.GetPageSize()), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &longrunningpb.ListOperationsResponse{Operations: items, NextPageToken: next}, nil
}

// GetOperation implements longrunningpb.OperationsServer.
func (s operations) GetOperation(ctx context.Context, r *longrunningpb.GetOperationRequest) (*longrunningpb.Operation, error) {
	return s.c.Operation(ctx, r.GetName())
}

// DeleteOperation implements longrunningpb.OperationsServer.
func (s operations) DeleteOperation(ctx context.Context, r *longrunningpb.DeleteOperationRequest) (*emptypb.Empty, error) {
	if err := s.c.DeleteOperation(ctx, r.GetName()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// WaitOperation implements longrunningpb.OperationsServer. Without a timeout it
// waits as long as the caller does.
func (s operations) WaitOperation(ctx context.Context, r *longrunningpb.WaitOperationRequest) (*longrunningpb.Operation, error) {
	timeout := r.GetTimeout().AsDuration()
	if timeout < 0 || r.GetTimeout().CheckValid() != nil && r.GetTimeout() != nil {
		return nil, status.Error(codes.InvalidArgument, "timeout: must be a duration of zero or more")
	}
	return s.c.WaitOperation(ctx, r.GetName(), timeout)
}
