package kf

import (
	"context"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// isApp reports whether a job is an app.
func isApp(job *runpb.Job) bool { return appOf(job) != "" && kfJobOf(job) == "" }

// appOf is the app that a job is, or belongs to, "" if none.
func appOf(job *runpb.Job) string { return job.GetLabels()[contract.KfAppLabel] }

// kfJobOf is the Kf job that a job is, "" if none.
func kfJobOf(job *runpb.Job) string { return job.GetLabels()[contract.KfJobLabel] }

// container is the container of a job of ours, which has one.
func container(job *runpb.Job) *runpb.Container {
	if all := job.GetTemplate().GetTemplate().GetContainers(); len(all) > 0 {
		return all[0]
	}
	return &runpb.Container{}
}

// getApp is the app of a name.
func getApp(ctx context.Context, r *verb.Remote, name string) (*runpb.Job, error) {
	job, err := r.Client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: r.Full(jobsOf, name)})
	switch {
	case verb.Is(err, codes.NotFound):
		return nil, r.Missing(err, "app", name, "runnel kf apps")
	case err != nil:
		return nil, err
	case !isApp(job):
		return nil, client.NewError(fmt.Sprintf("job [%s] is not an app; see \"runnel kf apps\"", verb.Short(job.GetName())), nil)
	}
	return job, nil
}

// listJobs are the jobs that ok is true of.
func listJobs(ctx context.Context, r *verb.Remote, ok func(*runpb.Job) bool) (chosen []*runpb.Job, err error) {
	all, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*runpb.Job, string, error) {
		page, err := r.Client.Jobs.ListJobs(ctx, &runpb.ListJobsRequest{Parent: r.Location(), PageToken: token})
		return page.GetJobs(), page.GetNextPageToken(), err
	})
	for _, job := range all {
		if ok(job) {
			chosen = append(chosen, job)
		}
	}
	return chosen, err
}

// jobsOfApp are the Kf jobs of an app.
func jobsOfApp(ctx context.Context, r *verb.Remote, app string) ([]*runpb.Job, error) {
	return listJobs(ctx, r, func(job *runpb.Job) bool { return appOf(job) == app && kfJobOf(job) != "" })
}

// completeApps are the names of apps.
func (c *commands) completeApps(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.complete(cmd, args, isApp)
}

// completeJobs are the names of Kf jobs.
func (c *commands) completeJobs(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.complete(cmd, args, func(job *runpb.Job) bool { return kfJobOf(job) != "" })
}

// complete are the names of jobs that ok is true of.
func (c *commands) complete(cmd *cobra.Command, args []string, ok func(*runpb.Job) bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		all, _ := listJobs(ctx, r, ok) // nobody to tell
		for _, job := range all {
			names = append(names, verb.Short(job.GetName()))
		}
		return names[:min(len(names), verb.MaxCompletions)]
	})
}
