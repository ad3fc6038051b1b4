package v2

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// tasks is the service of tasks.
type tasks struct {
	runpb.UnimplementedTasksServer
	c *control.Control
}

// GetTask implements runpb.TasksServer.
func (s tasks) GetTask(ctx context.Context, r *runpb.GetTaskRequest) (*runpb.Task, error) {
	return s.c.Task(ctx, r.GetName())
}

// ListTasks implements runpb.TasksServer.
func (s tasks) ListTasks(ctx context.Context, r *runpb.ListTasksRequest) (*runpb.ListTasksResponse, error) {
	items, next, err := s.c.Tasks(ctx, query[*runpb.Task](r))
	if err != nil {
		return nil, err
	}
	return &runpb.ListTasksResponse{Tasks: items, NextPageToken: next}, nil
}
