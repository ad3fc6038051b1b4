package jobs

import (
	"context"
	"errors"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/stages"
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
		Args:              wantOne("the job's name"),
		ValidArgsFunction: c.completeJobs,
	}
	cmd.RunE = c.connected(func(ctx context.Context, r *remote, args []string) error {
		job, err := r.getJob(ctx, args[0])
		if err != nil {
			return err
		}
		name := short(job.GetName())
		warning := "Job [" + name + "] will be deleted."
		if job.GetLatestCreatedExecution().GetCompletionStatus() == runpb.ExecutionReference_EXECUTION_RUNNING {
			warning += " It is being executed: what runs will be stopped and deleted, too."
		}
		if err := c.confirm(ctx, warning); err != nil {
			return err
		}
		op, err := r.client.Jobs.DeleteJob(ctx, &runpb.DeleteJobRequest{Name: job.GetName()})
		if err != nil {
			return err
		}
		return end(ctx, c, r, op, &runpb.Job{}, async, ending{"Deleting [" + name + "]...", "Job [" + name + "] is being deleted.", "Deleted job [" + name + "]."})
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
		Args:              wantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
	}
	cmd.RunE = c.connected(func(ctx context.Context, r *remote, args []string) error {
		x, err := r.getExecution(ctx, args[0])
		if err != nil {
			return err
		}
		name := short(x.GetName())
		if err := c.confirm(ctx, "Execution ["+name+"] will be deleted."); err != nil {
			return err
		}
		op, err := r.client.Executions.DeleteExecution(ctx, &runpb.DeleteExecutionRequest{Name: x.GetName()})
		if err != nil {
			return err
		}
		return end(ctx, c, r, op, &runpb.Execution{}, async, ending{"Deleting [" + name + "]...", "Execution [" + name + "] is being deleted.", "Deleted execution [" + name + "]."})
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
		Args:              wantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
	}
	cmd.RunE = c.connected(func(ctx context.Context, r *remote, args []string) error {
		x, err := r.getExecution(ctx, args[0])
		if err != nil {
			return err
		}
		name := short(x.GetName())
		if err := c.confirm(ctx, "Execution ["+name+"] will be cancelled."); err != nil {
			return err
		}
		op, err := r.client.Executions.CancelExecution(ctx, &runpb.CancelExecutionRequest{Name: x.GetName()})
		if err != nil {
			return err
		}
		err = end(ctx, c, r, op, x, async, ending{"Cancelling [" + name + "]...", "Execution [" + name + "] is being cancelled.", ""})
		if err != nil || async {
			return err
		}
		if completed(x).GetExecutionReason() != runpb.Condition_CANCELLED {
			c.say("Execution [%s] ended before it could be cancelled.", name)
			return cli.ErrFailed
		}
		c.say("Cancelled execution [%s].", name)
		return nil
	})
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	return cmd
}

// ending is how a verb that ends something speaks of it.
type ending struct{ doing, async, done string }

// end waits until op is done, unless async, and leaves what it was about in
// resource.
func end[M proto.Message](ctx context.Context, c *commands, r *remote, op *longrunningpb.Operation, resource M, async bool, w ending) error {
	if async {
		c.say("%s", w.async)
		return nil
	}
	tracker := stages.New(c.env, w.doing)
	_, err := follow(ctx, r, op, resource, func(M) bool { return false })
	var failure *failed
	switch {
	case is(err, codes.NotFound): // the operation went with what it was about
		err = nil
	case errors.As(err, &failure):
		err = client.NewError(failure.status.Message(), failure.status.Err())
	}
	var stopped *cli.Interrupted
	switch {
	case errors.As(context.Cause(ctx), &stopped):
		tracker.Close(stages.Interrupted, "Aborted.")
		c.say("%s", w.async)
		return stopped
	case err != nil:
		tracker.Close(stages.Failed, "Failed.")
		return err
	}
	tracker.Close(stages.Done, "Done.")
	if w.done != "" {
		c.say("%s", w.done)
	}
	return nil
}
