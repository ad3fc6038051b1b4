package v2

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// executions is the service of executions.
type executions struct {
	runpb.UnimplementedExecutionsServer
	c *control.Control
}

// GetExecution implements runpb.ExecutionsServer.
func (s executions) GetExecution(ctx context.Context, r *runpb.GetExecutionRequest) (*runpb.Execution, error) {
	return s.c.Execution(ctx, r.GetName())
}

// ListExecutions implements runpb.ExecutionsServer.
func (s executions) ListExecutions(ctx context.Context, r *runpb.ListExecutionsRequest) (*runpb.ListExecutionsResponse, error) {
	items, next, err := s.c.Executions(ctx, query[*runpb.Execution](r))
	if err != nil {
		return nil, err
	}
	return &runpb.ListExecutionsResponse{Executions: items, NextPageToken: next}, nil
}

// DeleteExecution implements runpb.ExecutionsServer.
func (s executions) DeleteExecution(ctx context.Context, r *runpb.DeleteExecutionRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.DeleteExecution(ctx, r)
	return op, err
}

// CancelExecution implements runpb.ExecutionsServer.
func (s executions) CancelExecution(ctx context.Context, r *runpb.CancelExecutionRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.CancelExecution(ctx, r)
	return op, err
}
