package services

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

// listServices builds "runnel services list".
func (c *commands) listServices() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List services",
		Example: `  runnel services list
  runnel services list --filter 'metadata.labels.team=web' --format 'value(status.url)'`,
		Args: cli.NoArgs,
		RunE: c.Checked(l.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
			services, err := everyService(ctx, r, l.PageSize)
			if err != nil {
				return err
			}
			slices.SortStableFunc(services, func(a, b *runpb.Service) int {
				return strings.Compare(verb.Short(a.GetName()), verb.Short(b.GetName()))
			})
			return verb.List(l, services, c.serviceRow, []string{"", "SERVICE", "REGION", "URL", "LAST DEPLOYED BY", "LAST DEPLOYED AT"}, c.serviceCells)
		}),
	}
	l.Register(cmd)
	return cmd
}

// everyService are the services of the locations that are meant.
func everyService(ctx context.Context, r *verb.Remote, pageSize int32) ([]*runpb.Service, error) {
	return verb.EveryPlace(ctx, r, func(ctx context.Context, parent, token string) ([]*runpb.Service, string, error) {
		page, err := r.Client.Services.ListServices(ctx, &runpb.ListServicesRequest{Parent: parent, PageSize: pageSize, PageToken: token})
		return page.GetServices(), page.GetNextPageToken(), err
	})
}

// serviceCells are the columns of a service.
func (c *commands) serviceCells(service *runpb.Service) []string {
	return []string{
		c.Cell(sheet.StateOf(service.GetTerminalCondition())), verb.Short(service.GetName()), verb.Part(service.GetName(), "locations"),
		service.GetUri(), service.GetLastModifier(), sheet.Moment(service.GetTerminalCondition().GetLastTransitionTime()),
	}
}

// listRevisions builds "runnel revisions list".
func (c *commands) listRevisions() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
	service := verb.AnyID
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List revisions",
		Example: `  runnel revisions list --service hello
  runnel revisions list --filter active=yes --format 'value(name)'`,
		Args: cli.NoArgsBut("service"),
		RunE: c.Checked(l.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
			parent := r.Locations() + "/" + servicesOf + "/" + verb.AnyID
			if service != verb.AnyID {
				found, err := getService(ctx, r, service) // a list of none would not tell
				if err != nil {
					return err
				}
				parent = found.GetName()
			}
			all, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*runpb.Revision, string, error) {
				page, err := r.Client.Revisions.ListRevisions(ctx, &runpb.ListRevisionsRequest{Parent: parent, PageSize: l.PageSize, PageToken: token})
				return page.GetRevisions(), page.GetNextPageToken(), err
			})
			if err != nil {
				return err
			}
			slices.SortStableFunc(all, func(a, b *runpb.Revision) int {
				return strings.Compare(verb.Part(a.GetName(), servicesOf), verb.Part(b.GetName(), servicesOf))
			})
			return verb.List(l, all, c.revisionRow, []string{"", "REVISION", "ACTIVE", "SERVICE", "DEPLOYED", "DEPLOYED BY"}, c.revisionCells)
		}),
	}
	cmd.Flags().StringVar(&service, "service", service, "`name` of the service whose revisions to list (default all)")
	cmd.Flag("service").DefValue = ""
	_ = cmd.RegisterFlagCompletionFunc("service", c.completeServices)
	l.Register(cmd)
	return cmd
}

// revisionCells are the columns of a revision.
func (c *commands) revisionCells(revision *runpb.Revision) []string {
	return []string{
		c.Cell(sheet.RevisionState(revision)), verb.Short(revision.GetName()), sheet.Active(revision), verb.Part(revision.GetName(), servicesOf),
		sheet.Moment(revision.GetCreateTime()), revision.GetCreator(),
	}
}
