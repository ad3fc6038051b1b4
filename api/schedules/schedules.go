// Package schedules is Cloud Scheduler's API over the control plane: the
// generated server of what it calls jobs and we schedules, and where their runs
// are shown, for which it has nothing. It holds no state and no rules; what a
// request means and what is wrong with it, control says.
package schedules

import (
	"context"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"runnel/control"
)

// Register registers the service with r: a gRPC server, or what carries
// HTTP/JSON to the same calls.
func Register(r grpc.ServiceRegistrar, c *control.Control) {
	schedulerpb.RegisterCloudSchedulerServer(r, server{c: c})
}

// server is the service.
type server struct {
	schedulerpb.UnimplementedCloudSchedulerServer
	c *control.Control
}

// CreateJob implements schedulerpb.CloudSchedulerServer.
func (s server) CreateJob(ctx context.Context, r *schedulerpb.CreateJobRequest) (*schedulerpb.Job, error) {
	return s.c.CreateSchedule(ctx, r)
}

// GetJob implements schedulerpb.CloudSchedulerServer.
func (s server) GetJob(ctx context.Context, r *schedulerpb.GetJobRequest) (*schedulerpb.Job, error) {
	return s.c.Schedule(ctx, r.GetName())
}

// maxPageSize is how many schedules a page has at most, and where no size is
// asked for.
// Source: Cloud Scheduler API v1, ListJobsRequest.page_size.
const maxPageSize = 500

// ListJobs implements schedulerpb.CloudSchedulerServer.
func (s server) ListJobs(ctx context.Context, r *schedulerpb.ListJobsRequest) (*schedulerpb.ListJobsResponse, error) {
	size := int(r.GetPageSize())
	if size == 0 || size > maxPageSize {
		size = maxPageSize
	}
	items, next, err := s.c.Schedules(ctx, control.Query[*schedulerpb.Job]{Parent: r.GetParent(), PageSize: size, PageToken: r.GetPageToken()})
	if err != nil {
		return nil, err
	}
	return &schedulerpb.ListJobsResponse{Jobs: items, NextPageToken: next}, nil
}

// UpdateJob implements schedulerpb.CloudSchedulerServer.
func (s server) UpdateJob(ctx context.Context, r *schedulerpb.UpdateJobRequest) (*schedulerpb.Job, error) {
	return s.c.UpdateSchedule(ctx, r)
}

// DeleteJob implements schedulerpb.CloudSchedulerServer.
func (s server) DeleteJob(ctx context.Context, r *schedulerpb.DeleteJobRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.c.DeleteSchedule(ctx, r.GetName())
}

// PauseJob implements schedulerpb.CloudSchedulerServer.
func (s server) PauseJob(ctx context.Context, r *schedulerpb.PauseJobRequest) (*schedulerpb.Job, error) {
	return s.c.PauseSchedule(ctx, r.GetName())
}

// ResumeJob implements schedulerpb.CloudSchedulerServer.
func (s server) ResumeJob(ctx context.Context, r *schedulerpb.ResumeJobRequest) (*schedulerpb.Job, error) {
	return s.c.ResumeSchedule(ctx, r.GetName())
}

// RunJob implements schedulerpb.CloudSchedulerServer.
func (s server) RunJob(ctx context.Context, r *schedulerpb.RunJobRequest) (*schedulerpb.Job, error) {
	return s.c.RunSchedule(ctx, r.GetName())
}
