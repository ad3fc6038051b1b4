package workerpools

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// listPools builds "runnel worker-pools list".
func (c *commands) listPools() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List worker pools",
		Example: `  runnel worker-pools list
  runnel worker-pools list --filter 'metadata.labels.team=data' --format 'value(name)'`,
		Args: cli.NoArgs,
		RunE: c.Checked(l.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
			pools, err := verb.EveryPlace(ctx, r, func(ctx context.Context, parent, token string) ([]*runpb.WorkerPool, string, error) {
				page, err := r.Client.WorkerPools.ListWorkerPools(ctx, &runpb.ListWorkerPoolsRequest{Parent: parent, PageSize: l.PageSize, PageToken: token})
				return page.GetWorkerPools(), page.GetNextPageToken(), err
			})
			if err != nil {
				return err
			}
			slices.SortStableFunc(pools, func(a, b *runpb.WorkerPool) int {
				return strings.Compare(verb.Short(a.GetName()), verb.Short(b.GetName()))
			})
			labels := []string{"", "WORKER_POOL", "REGION", "LAST DEPLOYED BY", "LAST DEPLOYED AT", "CREATED BY", "CREATED"}
			return verb.List(l, pools, c.poolRow, labels, c.poolCells)
		}),
	}
	l.Register(cmd)
	return cmd
}

// poolCells are the columns of a worker pool.
func (c *commands) poolCells(pool *runpb.WorkerPool) []string {
	ready := pool.GetTerminalCondition()
	return []string{
		c.Cell(sheet.StateOf(ready)), verb.Short(pool.GetName()), verb.Part(pool.GetName(), "locations"),
		pool.GetLastModifier(), sheet.Moment(ready.GetLastTransitionTime()), pool.GetCreator(), sheet.Moment(pool.GetCreateTime()),
	}
}
