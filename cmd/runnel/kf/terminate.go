package kf

import (
	"context"
	"fmt"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// terminateTask builds "runnel kf terminate-task".
func (c *commands) terminateTask() *cobra.Command {
	var f retrying
	cmd := &cobra.Command{
		Use:   "terminate-task {TASK | APP ID}",
		Short: "Terminate a task that waits or runs",
		Long: `End a task that has not ended: it gets SIGTERM, and SIGKILL 10 seconds later. Its
logs are removed; those of a task that ends by itself stay.`,
		Example: `  runnel kf terminate-task etl-gd8dv
  runnel kf terminate-task etl 2`,
		Args:              want(2, "the task's name"),
		ValidArgsFunction: c.completeApps,
	}
	f.register(cmd)
	cmd.RunE = c.Checked(f.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		return c.terminate(ctx, r, args, &f)
	})
	return cmd
}

// terminate ends the task that args name.
func (c *commands) terminate(ctx context.Context, r *verb.Remote, args []string, f *retrying) error {
	var name string
	var op *longrunningpb.Operation
	err := f.try(ctx, func() error {
		x, err := findTask(ctx, r, args)
		if err != nil {
			return r.Client.Explain(err)
		}
		name = verb.Short(x.GetName())
		op, err = post(ctx, r, x.GetName()+":terminate", struct{}{})
		return r.Client.Explain(err)
	})
	if err != nil {
		return err
	}
	if err := c.Write(fmt.Appendf(nil, "Task %q is successfully submitted for termination\n", name)); err != nil {
		return err
	}
	if f.async {
		return nil
	}
	return verb.End(ctx, c.Frame, r, op, &runpb.Execution{}, false, verb.Ending{Doing: "Terminating [" + name + "]...", Async: "Task [" + name + "] is being terminated."})
}

// findTask is the task of a name, or of an app and a number.
func findTask(ctx context.Context, r *verb.Remote, args []string) (*runpb.Execution, error) {
	if len(args) == 1 {
		x, err := r.Client.Executions.GetExecution(ctx, &runpb.GetExecutionRequest{Name: r.Full(executionsOf, args[0])})
		return x, r.Missing(err, "task", args[0], "runnel kf tasks")
	}
	all, err := listTasks(ctx, r, args[0])
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if x.GetLabels()[contract.KfTaskLabel] == args[1] {
			return x, nil
		}
	}
	return nil, client.NewError(fmt.Sprintf("No Task found for App %q and Task ID %q", args[0], args[1]), nil)
}
