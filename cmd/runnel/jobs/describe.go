package jobs

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/format"
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
		Args:              wantOne("the job's name"),
		ValidArgsFunction: c.completeJobs,
		RunE: c.connected(func(ctx context.Context, r *remote, args []string) error {
			job, err := r.getJob(ctx, args[0])
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
		Args:              wantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
		RunE: c.connected(func(ctx context.Context, r *remote, args []string) error {
			x, err := r.getExecution(ctx, args[0])
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
		Args:              wantOne("the task's name"),
		ValidArgsFunction: c.completeTasks,
		RunE: c.connected(func(ctx context.Context, r *remote, args []string) error {
			t, err := r.client.Tasks.GetTask(ctx, &runpb.GetTaskRequest{Name: r.task(args[0])})
			if err != nil {
				return r.missing(err, "task", args[0])
			}
			return c.show(
				func(export bool) (format.Row, error) { return c.taskRow(t, export) },
				func() []byte { return c.taskText(t) },
			)
		}),
	}
}

// getExecution is the execution of a name.
func (r *remote) getExecution(ctx context.Context, name string) (*runpb.Execution, error) {
	x, err := r.client.Executions.GetExecution(ctx, &runpb.GetExecutionRequest{Name: r.execution(name)})
	return x, r.missing(err, "execution", name)
}

// showJob writes a job.
func (c *commands) showJob(job *runpb.Job) error {
	return c.show(
		func(export bool) (format.Row, error) { return c.jobRow(job, export) },
		func() []byte { return c.jobText(job) },
	)
}

// showExecution writes an execution.
func (c *commands) showExecution(x *runpb.Execution) error {
	return c.show(
		func(export bool) (format.Row, error) { return c.executionRow(x, export) },
		func() []byte { return c.executionText(x) },
	)
}
