package workerpools

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/verb"
)

// deletePool builds "runnel worker-pools delete".
func (c *commands) deletePool() *cobra.Command {
	var async bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a worker pool with all its revisions",
		Long: `Delete a worker pool, its revisions and their logs. Instances that run get SIGTERM
and have 10 seconds to end.`,
		Example:           `  runnel worker-pools delete puller --quiet`,
		Args:              verb.WantOne("the worker pool's name"),
		ValidArgsFunction: c.completePools,
	}
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		pool, err := getPool(ctx, r, args[0])
		if err != nil {
			return err
		}
		name := verb.Short(pool.GetName())
		if err := c.Confirm(ctx, "WorkerPool ["+name+"] will be deleted."); err != nil {
			return err
		}
		op, err := r.Client.WorkerPools.DeleteWorkerPool(ctx, &runpb.DeleteWorkerPoolRequest{Name: pool.GetName()})
		if err != nil {
			return err
		}
		return verb.End(ctx, c.Frame, r, op, &runpb.WorkerPool{}, async, verb.Deletion("worker pool", name))
	})
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	return cmd
}
