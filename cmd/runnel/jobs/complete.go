package jobs

import (
	"context"
	"strings"

	"runnel/cmd/runnel/verb"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
)

// completeJobs are the names of jobs, for the first argument and for flags.
func (c *commands) completeJobs(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		page, _ := r.Client.Jobs.ListJobs(ctx, &runpb.ListJobsRequest{Parent: r.Location(), PageSize: verb.MaxCompletions})
		for _, job := range page.GetJobs() {
			names = append(names, verb.Short(job.GetName()))
		}
		return names
	})
}

// completeExecutions are the names of executions, the newest first.
func (c *commands) completeExecutions(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		page, _ := r.Client.Executions.ListExecutions(ctx, &runpb.ListExecutionsRequest{Parent: r.Location() + "/jobs/" + verb.AnyID, PageSize: verb.MaxCompletions})
		for _, x := range page.GetExecutions() {
			names = append(names, verb.Short(x.GetName()))
		}
		return names
	})
}

// completeTasks are the names of an execution's tasks once that is written, and
// before that those of executions.
func (c *commands) completeTasks(cmd *cobra.Command, args []string, written string) ([]cobra.Completion, cobra.ShellCompDirective) {
	execution, _, whole := cutLast(written, "-task")
	if !whole {
		names, directive := c.completeExecutions(cmd, args, written)
		for i := range names {
			names[i] += "-task"
		}
		return names, directive | cobra.ShellCompDirectiveNoSpace
	}
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		x, err := getExecution(ctx, r, execution)
		if err != nil {
			return nil
		}
		page, _ := r.Client.Tasks.ListTasks(ctx, &runpb.ListTasksRequest{Parent: x.GetName(), PageSize: verb.MaxCompletions})
		for _, task := range page.GetTasks() {
			names = append(names, verb.Short(task.GetName()))
		}
		return names
	})
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
