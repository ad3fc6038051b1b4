package workerpools

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/verb"
)

// completePools are the names of worker pools, for the first argument and for
// flags.
func (c *commands) completePools(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		page, _ := r.Client.WorkerPools.ListWorkerPools(ctx, &runpb.ListWorkerPoolsRequest{Parent: r.Location(), PageSize: verb.MaxCompletions})
		for _, pool := range page.GetWorkerPools() {
			names = append(names, verb.Short(pool.GetName()))
		}
		return names
	})
}

// completeRevisions are the names of revisions, the newest first.
func (c *commands) completeRevisions(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		page, _ := r.Client.Revisions.ListRevisions(ctx, &runpb.ListRevisionsRequest{Parent: r.Full(poolsOf, verb.AnyID), PageSize: verb.MaxCompletions})
		for _, revision := range page.GetRevisions() {
			names = append(names, verb.Short(revision.GetName()))
		}
		return names
	})
}
