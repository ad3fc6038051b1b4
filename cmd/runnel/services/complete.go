package services

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/verb"
)

// completeServices are the names of services, for the first argument and for
// flags.
func (c *commands) completeServices(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		page, _ := r.Client.Services.ListServices(ctx, &runpb.ListServicesRequest{Parent: r.Location(), PageSize: verb.MaxCompletions})
		for _, service := range page.GetServices() {
			names = append(names, verb.Short(service.GetName()))
		}
		return names
	})
}

// completeRevisions are the names of revisions, the newest first.
func (c *commands) completeRevisions(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		page, _ := r.Client.Revisions.ListRevisions(ctx, &runpb.ListRevisionsRequest{Parent: r.Full(servicesOf, verb.AnyID), PageSize: verb.MaxCompletions})
		for _, revision := range page.GetRevisions() {
			names = append(names, verb.Short(revision.GetName()))
		}
		return names
	})
}
