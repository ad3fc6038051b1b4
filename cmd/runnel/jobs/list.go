package jobs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
)

// listJobs builds "runnel jobs list".
func (c *commands) listJobs() *cobra.Command {
	l := &listing{commands: c}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs",
		Example: `  runnel jobs list
  runnel jobs list --filter 'metadata.labels.team=data' --sort-by '~creation_timestamp' --limit 5
  runnel jobs list --format 'value(name)'`,
		Args: cli.NoArgs,
		RunE: c.checked(l.check, func(ctx context.Context, r *remote, _ []string) error {
			jobs, err := every(ctx, func(ctx context.Context, token string) ([]*runpb.Job, string, error) {
				page, err := r.client.Jobs.ListJobs(ctx, &runpb.ListJobsRequest{Parent: r.locations(), PageSize: l.pageSize, PageToken: token})
				return page.GetJobs(), page.GetNextPageToken(), err
			})
			if err != nil {
				return err
			}
			slices.SortStableFunc(jobs, func(a, b *runpb.Job) int { return strings.Compare(short(a.GetName()), short(b.GetName())) })
			return list(l, jobs, c.jobRow, []string{"", "JOB", "REGION", "LAST RUN AT", "CREATED", "CREATED BY"}, c.jobCells)
		}),
	}
	l.register(cmd)
	return cmd
}

// jobCells are the columns of a job.
func (c *commands) jobCells(job *runpb.Job) []string {
	return []string{
		c.cell(stateOf(job.GetTerminalCondition())), short(job.GetName()), part(job.GetName(), "locations"),
		moment(job.GetLatestCreatedExecution().GetCreateTime()), moment(job.GetCreateTime()), job.GetCreator(),
	}
}

// listExecutions builds "runnel jobs executions list".
func (c *commands) listExecutions() *cobra.Command {
	l := &listing{commands: c}
	job := anyID
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List executions",
		Example: `  runnel jobs executions list --job etl
  runnel jobs executions list --limit 10 --format 'table(name,status.succeededCount:label=DONE)'`,
		Args: cli.NoArgsBut("job"),
		RunE: c.checked(l.check, func(ctx context.Context, r *remote, _ []string) error {
			parent := r.job(job)
			if job == anyID {
				parent = r.locations() + "/jobs/" + anyID
			}
			all, err := every(ctx, func(ctx context.Context, token string) ([]*runpb.Execution, string, error) {
				page, err := r.client.Executions.ListExecutions(ctx, &runpb.ListExecutionsRequest{Parent: parent, PageSize: l.pageSize, PageToken: token})
				return page.GetExecutions(), page.GetNextPageToken(), err
			})
			if err != nil {
				return r.missing(err, "job", job)
			}
			return list(l, all, c.executionRow, []string{"", "JOB", "EXECUTION", "REGION", "RUNNING", "COMPLETE", "CREATED", "RUN BY"}, c.executionCells)
		}),
	}
	cmd.Flags().StringVar(&job, "job", job, "`name` of the job whose executions to list (default all)")
	cmd.Flag("job").DefValue = ""
	_ = cmd.RegisterFlagCompletionFunc("job", c.completeJobs)
	l.register(cmd)
	return cmd
}

// executionCells are the columns of an execution.
func (c *commands) executionCells(x *runpb.Execution) []string {
	return []string{
		c.cell(stateOf(completed(x))), part(x.GetName(), "jobs"), short(x.GetName()), part(x.GetName(), "locations"),
		number(x.GetRunningCount()), number(x.GetSucceededCount()) + " / " + number(x.GetTaskCount()),
		moment(x.GetCreateTime()), x.GetCreator(),
	}
}

// listTasks builds "runnel jobs executions tasks list".
func (c *commands) listTasks() *cobra.Command {
	l := &listing{commands: c}
	var execution string
	var states stateFilter
	cmd := &cobra.Command{
		Use:   "list --execution EXECUTION",
		Short: "List the tasks of an execution",
		Example: `  runnel jobs executions tasks list --execution etl-abcde
  runnel jobs executions tasks list --execution etl-abcde --failed --format 'value(index)'`,
		Args: cli.NoArgsBut("execution"),
	}
	check := func() error {
		if execution == "" {
			return cli.Usagef("--execution is missing: name the execution whose tasks to list")
		}
		return l.check()
	}
	cmd.RunE = c.checked(check, func(ctx context.Context, r *remote, _ []string) error {
		x, err := r.getExecution(ctx, execution) // a list of none would not tell
		if err != nil {
			return err
		}
		tasks, err := every(ctx, func(ctx context.Context, token string) ([]*runpb.Task, string, error) {
			page, err := r.client.Tasks.ListTasks(ctx, &runpb.ListTasksRequest{Parent: x.GetName(), PageSize: l.pageSize, PageToken: token})
			return page.GetTasks(), page.GetNextPageToken(), err
		})
		if err != nil {
			return err
		}
		tasks = slices.DeleteFunc(tasks, func(t *runpb.Task) bool { return !states.wants(runningState(t)) })
		slices.SortStableFunc(tasks, func(a, b *runpb.Task) int { return cmp.Compare(a.GetIndex(), b.GetIndex()) })
		return list(l, tasks, c.taskRow, []string{"", "INDEX", "STATE", "TASK", "STARTED", "COMPLETED", "RETRIES"}, c.taskCells)
	})
	cmd.Flags().StringVar(&execution, "execution", "", "`name` of the execution whose tasks to list")
	_ = cmd.RegisterFlagCompletionFunc("execution", c.completeExecutions)
	states.register(cmd.Flags())
	l.register(cmd)
	return cmd
}

// taskCells are the columns of a task.
func (c *commands) taskCells(t *runpb.Task) []string {
	retries := ""
	if t.GetStartTime() != nil {
		retries = number(t.GetRetried())
	}
	return []string{
		c.cell(taskState(t)), number(t.GetIndex()), runningState(t), short(t.GetName()),
		moment(t.GetStartTime()), moment(t.GetCompletionTime()), retries,
	}
}
