package jobs

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// listJobs builds "runnel jobs list".
func (c *commands) listJobs() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs",
		Example: `  runnel jobs list
  runnel jobs list --filter 'metadata.labels.team=data' --sort-by '~creation_timestamp' --limit 5
  runnel jobs list --format 'value(name)'`,
		Args: cli.NoArgs,
		RunE: c.Checked(l.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
			jobs, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*runpb.Job, string, error) {
				page, err := r.Client.Jobs.ListJobs(ctx, &runpb.ListJobsRequest{Parent: r.Locations(), PageSize: l.PageSize, PageToken: token})
				return page.GetJobs(), page.GetNextPageToken(), err
			})
			if err != nil {
				return err
			}
			slices.SortStableFunc(jobs, func(a, b *runpb.Job) int { return strings.Compare(verb.Short(a.GetName()), verb.Short(b.GetName())) })
			return verb.List(l, jobs, c.jobRow, []string{"", "JOB", "REGION", "LAST RUN AT", "CREATED", "CREATED BY"}, c.jobCells)
		}),
	}
	l.Register(cmd)
	return cmd
}

// jobCells are the columns of a job.
func (c *commands) jobCells(job *runpb.Job) []string {
	return []string{
		c.Cell(sheet.StateOf(job.GetTerminalCondition())), verb.Short(job.GetName()), verb.Part(job.GetName(), "locations"),
		sheet.Moment(job.GetLatestCreatedExecution().GetCreateTime()), sheet.Moment(job.GetCreateTime()), job.GetCreator(),
	}
}

// listExecutions builds "runnel jobs executions list".
func (c *commands) listExecutions() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
	job := verb.AnyID
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List executions",
		Example: `  runnel jobs executions list --job etl
  runnel jobs executions list --limit 10 --format 'table(name,status.succeededCount:label=DONE)'`,
		Args: cli.NoArgsBut("job"),
		RunE: c.Checked(l.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
			parent := r.Full(jobsOf, job)
			if job == verb.AnyID {
				parent = r.Locations() + "/jobs/" + verb.AnyID
			}
			all, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*runpb.Execution, string, error) {
				page, err := r.Client.Executions.ListExecutions(ctx, &runpb.ListExecutionsRequest{Parent: parent, PageSize: l.PageSize, PageToken: token})
				return page.GetExecutions(), page.GetNextPageToken(), err
			})
			if err != nil {
				return missing(r, err, "job", job)
			}
			return verb.List(l, all, c.executionRow, []string{"", "JOB", "EXECUTION", "REGION", "RUNNING", "COMPLETE", "CREATED", "RUN BY"}, c.executionCells)
		}),
	}
	cmd.Flags().StringVar(&job, "job", job, "`name` of the job whose executions to list (default all)")
	cmd.Flag("job").DefValue = ""
	_ = cmd.RegisterFlagCompletionFunc("job", c.completeJobs)
	l.Register(cmd)
	return cmd
}

// executionCells are the columns of an execution.
func (c *commands) executionCells(x *runpb.Execution) []string {
	return []string{
		c.Cell(sheet.StateOf(completed(x))), verb.Part(x.GetName(), "jobs"), verb.Short(x.GetName()), verb.Part(x.GetName(), "locations"),
		number(x.GetRunningCount()), number(x.GetSucceededCount()) + " / " + number(x.GetTaskCount()),
		sheet.Moment(x.GetCreateTime()), x.GetCreator(),
	}
}

// listTasks builds "runnel jobs executions tasks list".
func (c *commands) listTasks() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
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
		return l.Check()
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, _ []string) error {
		x, err := getExecution(ctx, r, execution) // a list of none would not tell
		if err != nil {
			return err
		}
		tasks, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*runpb.Task, string, error) {
			page, err := r.Client.Tasks.ListTasks(ctx, &runpb.ListTasksRequest{Parent: x.GetName(), PageSize: l.PageSize, PageToken: token})
			return page.GetTasks(), page.GetNextPageToken(), err
		})
		if err != nil {
			return err
		}
		tasks = slices.DeleteFunc(tasks, func(t *runpb.Task) bool { return !states.wants(runningState(t)) })
		slices.SortStableFunc(tasks, func(a, b *runpb.Task) int { return cmp.Compare(a.GetIndex(), b.GetIndex()) })
		return verb.List(l, tasks, c.taskRow, []string{"", "INDEX", "STATE", "TASK", "STARTED", "COMPLETED", "RETRIES"}, c.taskCells)
	})
	cmd.Flags().StringVar(&execution, "execution", "", "`name` of the execution whose tasks to list")
	_ = cmd.RegisterFlagCompletionFunc("execution", c.completeExecutions)
	states.register(cmd.Flags())
	l.Register(cmd)
	return cmd
}

// taskCells are the columns of a task.
func (c *commands) taskCells(t *runpb.Task) []string {
	retries := ""
	if t.GetStartTime() != nil {
		retries = number(t.GetRetried())
	}
	return []string{
		c.Cell(taskState(t)), number(t.GetIndex()), runningState(t), verb.Short(t.GetName()),
		sheet.Moment(t.GetStartTime()), sheet.Moment(t.GetCompletionTime()), retries,
	}
}

// number is n in a table.
func number(n int32) string { return strconv.Itoa(int(n)) }
