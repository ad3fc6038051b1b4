package kf

import (
	"context"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// tasks builds "runnel kf tasks".
func (c *commands) tasks() *cobra.Command {
	p := &printer{commands: c}
	cmd := &cobra.Command{
		Use:   "tasks [APP]",
		Short: "List the tasks of an app, or of all",
		Long: `List tasks, the oldest first: those of one app with its jobs, or all. Each app
counts its own, and keeps the newest 500 that have ended.`,
		Example: `  runnel kf tasks etl
  runnel kf tasks etl -o jsonpath='{.items[*].metadata.name}'`,
		Args:              verb.WantAtMostOne("app"),
		ValidArgsFunction: c.completeApps,
	}
	p.register(cmd)
	cmd.RunE = c.Checked(p.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		app := ""
		if len(args) > 0 {
			app = args[0]
		}
		all, err := listTasks(ctx, r, app)
		if err != nil {
			return err
		}
		return p.listTasks("Tasks in Space: "+r.Project, all)
	})
	return cmd
}

// listTasks are the tasks of an app, or of all if app is empty, the oldest first.
func listTasks(ctx context.Context, r *verb.Remote, app string) (all []*runpb.Execution, err error) {
	if app == "" {
		return listExecutions(ctx, r, r.Full(jobsOf, verb.AnyID))
	}
	job, err := getApp(ctx, r, app)
	if err != nil {
		return nil, err
	}
	jobs, err := jobsOfApp(ctx, r, app)
	if err != nil {
		return nil, err
	}
	for _, job := range append(jobs, job) {
		some, err := listExecutions(ctx, r, job.GetName())
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	sortTasks(all)
	return all, nil
}

// listExecutions are the tasks among the executions of a job, the oldest first.
func listExecutions(ctx context.Context, r *verb.Remote, job string) ([]*runpb.Execution, error) {
	all, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*runpb.Execution, string, error) {
		page, err := r.Client.Executions.ListExecutions(ctx, &runpb.ListExecutionsRequest{Parent: job, PageToken: token})
		return page.GetExecutions(), page.GetNextPageToken(), err
	})
	all = slices.DeleteFunc(all, func(x *runpb.Execution) bool { return x.GetLabels()[contract.KfAppLabel] == "" })
	sortTasks(all)
	return all, err
}

func sortTasks(all []*runpb.Execution) {
	slices.SortStableFunc(all, func(a, b *runpb.Execution) int {
		return a.GetCreateTime().AsTime().Compare(b.GetCreateTime().AsTime())
	})
}

// listTasks writes tasks.
func (p *printer) listTasks(what string, all []*runpb.Execution) error {
	var cells [][]string
	var objects []object
	for _, x := range all {
		status, reason := succeeded(x)
		cells = append(cells, []string{
			verb.Short(x.GetName()), x.GetLabels()[contract.KfTaskLabel], x.GetAnnotations()[contract.KfDisplayName],
			age(x.GetCreateTime()), orNone(duration(x)), status, orNone(reason),
		})
		objects = append(objects, taskObject(x))
	}
	return p.list(what, objects, []string{"Name", "ID", "DisplayName", "Age", "Duration", "Succeeded", "Reason"}, cells)
}
