package jobs

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
)

// deleteJob builds "runnel jobs delete".
func (c *commands) deleteJob() *cobra.Command {
	var async bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a job with all its executions",
		Long: `Delete a job, its executions and their tasks and logs. Executions that run are
cancelled first: SIGTERM, and SIGKILL 10 seconds later.`,
		Example:           `  runnel jobs delete etl --quiet`,
		Args:              verb.WantOne("the job's name"),
		ValidArgsFunction: c.completeJobs,
	}
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		job, err := getJob(ctx, r, args[0])
		if err != nil {
			return err
		}
		name := verb.Short(job.GetName())
		warning := "Job [" + name + "] will be deleted."
		if job.GetLatestCreatedExecution().GetCompletionStatus() == runpb.ExecutionReference_EXECUTION_RUNNING {
			warning += " It is being executed: what runs will be stopped and deleted, too."
		}
		if err := c.Confirm(ctx, warning); err != nil {
			return err
		}
		op, err := r.Client.Jobs.DeleteJob(ctx, &runpb.DeleteJobRequest{Name: job.GetName()})
		if err != nil {
			return err
		}
		return verb.End(ctx, c.Frame, r, op, &runpb.Job{}, async, verb.Deletion("job", name))
	})
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	return cmd
}

// deleteExecution builds "runnel jobs executions delete".
func (c *commands) deleteExecution() *cobra.Command {
	var async bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete an execution",
		Long: `Delete an execution, its tasks and their logs. If it runs it is cancelled first:
SIGTERM, and SIGKILL 10 seconds later.`,
		Example:           `  runnel jobs executions delete etl-abcde --quiet`,
		Args:              verb.WantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
	}
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		x, err := getExecution(ctx, r, args[0])
		if err != nil {
			return err
		}
		name := verb.Short(x.GetName())
		if err := c.Confirm(ctx, "Execution ["+name+"] will be deleted."); err != nil {
			return err
		}
		op, err := r.Client.Executions.DeleteExecution(ctx, &runpb.DeleteExecutionRequest{Name: x.GetName()})
		if err != nil {
			return err
		}
		return verb.End(ctx, c.Frame, r, op, &runpb.Execution{}, async, verb.Deletion("execution", name))
	})
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	return cmd
}

// cancelExecution builds "runnel jobs executions cancel".
func (c *commands) cancelExecution() *cobra.Command {
	var async bool
	cmd := &cobra.Command{
		Use:   "cancel NAME",
		Short: "Cancel an execution that runs",
		Long: `Cancel an execution: its tasks get SIGTERM, and SIGKILL 10 seconds later; those
that wait do not begin.`,
		Example:           `  runnel jobs executions cancel etl-abcde --quiet`,
		Args:              verb.WantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
	}
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		x, err := getExecution(ctx, r, args[0])
		if err != nil {
			return err
		}
		name := verb.Short(x.GetName())
		if err := c.Confirm(ctx, "Execution ["+name+"] will be cancelled."); err != nil {
			return err
		}
		op, err := r.Client.Executions.CancelExecution(ctx, &runpb.CancelExecutionRequest{Name: x.GetName()})
		if err != nil {
			return err
		}
		err = verb.End(ctx, c.Frame, r, op, x, async, verb.Ending{Doing: "Cancelling [" + name + "]...", Async: "Execution [" + name + "] is being cancelled.", Done: ""})
		if err != nil || async {
			return err
		}
		if completed(x).GetExecutionReason() != runpb.Condition_CANCELLED {
			c.Say("Execution [%s] ended before it could be cancelled.", name)
			return cli.ErrFailed
		}
		c.Say("Cancelled execution [%s].", name)
		return nil
	})
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	return cmd
}
