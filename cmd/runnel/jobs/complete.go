package jobs

import (
	"context"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
)

const (
	// completionTime is how long a shell waits for names.
	completionTime = time.Second
	// maxCompletions is how many names it is told.
	maxCompletions = 100
)

// completeJobs are the names of jobs, for the first argument and for flags.
func (c *commands) completeJobs(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.complete(cmd, args, func(ctx context.Context, r *remote) (names []string) {
		page, _ := r.client.Jobs.ListJobs(ctx, &runpb.ListJobsRequest{Parent: r.location(), PageSize: maxCompletions})
		for _, job := range page.GetJobs() {
			names = append(names, short(job.GetName()))
		}
		return names
	})
}

// completeExecutions are the names of executions, the newest first.
func (c *commands) completeExecutions(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.complete(cmd, args, func(ctx context.Context, r *remote) (names []string) {
		page, _ := r.client.Executions.ListExecutions(ctx, &runpb.ListExecutionsRequest{Parent: r.location() + "/jobs/" + anyID, PageSize: maxCompletions})
		for _, x := range page.GetExecutions() {
			names = append(names, short(x.GetName()))
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
	return c.complete(cmd, args, func(ctx context.Context, r *remote) (names []string) {
		x, err := r.getExecution(ctx, execution)
		if err != nil {
			return nil
		}
		page, _ := r.client.Tasks.ListTasks(ctx, &runpb.ListTasksRequest{Parent: x.GetName(), PageSize: maxCompletions})
		for _, task := range page.GetTasks() {
			names = append(names, short(task.GetName()))
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

// complete asks the daemon for names. If it does not answer in time there are
// none.
func (c *commands) complete(cmd *cobra.Command, args []string, names func(context.Context, *remote) []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	if len(args) > 0 {
		return nil, directive
	}
	ctx, cancel := context.WithTimeout(contextOf(cmd), completionTime)
	defer cancel()
	r, err := c.connect(ctx)
	if err != nil {
		return nil, directive
	}
	defer func() { _ = r.client.Close() }() // nobody to tell
	return names(ctx, r), directive
}

// contextOf is the context of cmd, which has none while it is completed.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
