package workerpools

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/verb"
)

// describePool builds "runnel worker-pools describe".
func (c *commands) describePool() *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a worker pool",
		Long:  `Show a worker pool. --format export writes a file that "runnel worker-pools replace" reads.`,
		Example: `  runnel worker-pools describe puller
  runnel worker-pools describe puller --format export > puller.yaml
  runnel worker-pools describe puller --format 'value(status.latestReadyRevisionName)'`,
		Args:              verb.WantOne("the worker pool's name"),
		ValidArgsFunction: c.completePools,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			pool, err := getPool(ctx, r, args[0])
			if err != nil {
				return err
			}
			return c.showPool(pool)
		}),
	}
}

// showPool writes a worker pool.
func (c *commands) showPool(pool *runpb.WorkerPool) error {
	return c.Show(
		func(export bool) (format.Row, error) { return c.poolRow(pool, export) },
		func() []byte { return c.poolText(pool) },
	)
}
