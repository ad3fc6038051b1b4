package jobs

import (
	"context"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/verb"
)

// describeJob builds "runnel jobs describe".
func (c *commands) describeJob() *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a job",
		Long: `Show a job. --format export writes a file that "runnel jobs replace" and
"runnel run" read.`,
		Example: `  runnel jobs describe etl
  runnel jobs describe etl --format export > etl.yaml
  runnel jobs describe etl --format 'value(status.latestCreatedExecution.name)'`,
		Args:              verb.WantOne("the job's name"),
		ValidArgsFunction: c.completeJobs,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			job, err := getJob(ctx, r, args[0])
			if err != nil {
				return err
			}
			return c.showJob(job)
		}),
	}
}

// describeExecution builds "runnel jobs executions describe".
func (c *commands) describeExecution() *cobra.Command {
	return &cobra.Command{
		Use:               "describe NAME",
		Short:             "Show an execution",
		Example:           `  runnel jobs executions describe etl-abcde --format 'value(status.succeededCount)'`,
		Args:              verb.WantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			x, err := getExecution(ctx, r, args[0])
			if err != nil {
				return err
			}
			return c.showExecution(x)
		}),
	}
}

// describeTask builds "runnel jobs executions tasks describe".
func (c *commands) describeTask() *cobra.Command {
	return &cobra.Command{
		Use:               "describe NAME",
		Short:             "Show a task",
		Example:           `  runnel jobs executions tasks describe etl-abcde-task0`,
		Args:              verb.WantOne("the task's name"),
		ValidArgsFunction: c.completeTasks,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			t, err := r.Client.Tasks.GetTask(ctx, &runpb.GetTaskRequest{Name: taskName(r, args[0])})
			if err != nil {
				return missing(r, err, "task", args[0])
			}
			return c.Show(
				func(export bool) (format.Row, error) { return c.taskRow(t, export) },
				func() []byte { return c.taskText(t) },
			)
		}),
	}
}

// getExecution is the execution of a name.
func getExecution(ctx context.Context, r *verb.Remote, name string) (*runpb.Execution, error) {
	x, err := r.Client.Executions.GetExecution(ctx, &runpb.GetExecutionRequest{Name: r.Full(executionsOf, name)})
	return x, missing(r, err, "execution", name)
}

// showJob writes a job.
func (c *commands) showJob(job *runpb.Job) error {
	return c.Show(
		func(export bool) (format.Row, error) { return c.jobRow(job, export) },
		func() []byte { return c.jobText(job) },
	)
}

// showExecution writes an execution.
func (c *commands) showExecution(x *runpb.Execution) error {
	return c.Show(
		func(export bool) (format.Row, error) { return c.executionRow(x, export) },
		func() []byte { return c.executionText(x) },
	)
}

// taskName is the full name of a task, which begins with that of its execution.
func taskName(r *verb.Remote, name string) string {
	if strings.HasPrefix(name, "projects/") {
		return name
	}
	execution := name
	if i := strings.LastIndex(name, "-task"); i > 0 {
		execution = name[:i]
	}
	return r.Full(executionsOf, execution) + "/tasks/" + name
}
