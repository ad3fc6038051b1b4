package v2

import (
	"context"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// jobs is the service of jobs.
type jobs struct {
	runpb.UnimplementedJobsServer
	c *control.Control
}

// CreateJob implements runpb.JobsServer.
func (s jobs) CreateJob(ctx context.Context, r *runpb.CreateJobRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.CreateJob(ctx, r)
	return op, err
}

// GetJob implements runpb.JobsServer.
func (s jobs) GetJob(ctx context.Context, r *runpb.GetJobRequest) (*runpb.Job, error) {
	return s.c.Job(ctx, r.GetName())
}

// ListJobs implements runpb.JobsServer. What has been deleted is gone, so
// showDeleted shows nothing more.
func (s jobs) ListJobs(ctx context.Context, r *runpb.ListJobsRequest) (*runpb.ListJobsResponse, error) {
	items, next, err := s.c.Jobs(ctx, query[*runpb.Job](r))
	if err != nil {
		return nil, err
	}
	return &runpb.ListJobsResponse{Jobs: items, NextPageToken: next}, nil
}

// UpdateJob implements runpb.JobsServer.
func (s jobs) UpdateJob(ctx context.Context, r *runpb.UpdateJobRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.UpdateJob(ctx, r)
	return op, err
}

// DeleteJob implements runpb.JobsServer.
func (s jobs) DeleteJob(ctx context.Context, r *runpb.DeleteJobRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.DeleteJob(ctx, r)
	return op, err
}

// RunJob implements runpb.JobsServer.
func (s jobs) RunJob(ctx context.Context, r *runpb.RunJobRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.RunJob(ctx, r)
	return op, err
}

// GetIamPolicy implements runpb.JobsServer.
func (s jobs) GetIamPolicy(ctx context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	return s.c.Policy(ctx, r.GetResource())
}

// SetIamPolicy implements runpb.JobsServer.
func (s jobs) SetIamPolicy(ctx context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	return s.c.SetPolicy(ctx, r.GetResource(), r.GetPolicy(), r.GetUpdateMask())
}

// TestIamPermissions implements runpb.JobsServer.
func (s jobs) TestIamPermissions(ctx context.Context, r *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	granted, err := s.c.TestPermissions(ctx, r.GetResource(), r.GetPermissions())
	if err != nil {
		return nil, err
	}
	return &iampb.TestIamPermissionsResponse{Permissions: granted}, nil
}
