package services

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/verb"
)

// deleteService builds "runnel services delete".
func (c *commands) deleteService() *cobra.Command {
	var async bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a service with all its revisions",
		Long: `Delete a service, its revisions and their logs. Its URL answers no more; requests
that run have 10 seconds to end.`,
		Example:           `  runnel services delete hello --quiet`,
		Args:              verb.WantOne("the service's name"),
		ValidArgsFunction: c.completeServices,
	}
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		service, err := getService(ctx, r, args[0])
		if err != nil {
			return err
		}
		name := verb.Short(service.GetName())
		if err := c.Confirm(ctx, "Service ["+name+"] will be deleted."); err != nil {
			return err
		}
		op, err := r.Client.Services.DeleteService(ctx, &runpb.DeleteServiceRequest{Name: service.GetName()})
		if err != nil {
			return err
		}
		return verb.End(ctx, c.Frame, r, op, &runpb.Service{}, async, verb.Deletion("service", name))
	})
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	return cmd
}

// deleteRevision builds "runnel revisions delete".
func (c *commands) deleteRevision() *cobra.Command {
	var async bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a revision",
		Long: `Delete a revision and its logs. One that has traffic or a tag, or that is the
latest of its service, has to stay.`,
		Example:           `  runnel revisions delete hello-00001-abc --quiet`,
		Args:              verb.WantOne("the revision's name"),
		ValidArgsFunction: c.completeRevisions,
	}
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		revision, err := getRevision(ctx, r, args[0])
		if err != nil {
			return err
		}
		name := verb.Short(revision.GetName())
		if err := c.Confirm(ctx, "Revision ["+name+"] will be deleted."); err != nil {
			return err
		}
		op, err := r.Client.Revisions.DeleteRevision(ctx, &runpb.DeleteRevisionRequest{Name: revision.GetName()})
		if err != nil {
			return err
		}
		return verb.End(ctx, c.Frame, r, op, &runpb.Revision{}, async, verb.Deletion("revision", name))
	})
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	return cmd
}
