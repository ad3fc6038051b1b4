package services

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/verb"
)

// describeService builds "runnel services describe".
func (c *commands) describeService() *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a service",
		Long:  `Show a service. --format export writes a file that "runnel services replace" reads.`,
		Example: `  runnel services describe hello
  runnel services describe hello --format export > hello.yaml
  runnel services describe hello --format 'value(status.url)'`,
		Args:              verb.WantOne("the service's name"),
		ValidArgsFunction: c.completeServices,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			service, err := getService(ctx, r, args[0])
			if err != nil {
				return err
			}
			return c.showService(service)
		}),
	}
}

// describeRevision builds "runnel revisions describe".
func (c *commands) describeRevision() *cobra.Command {
	return &cobra.Command{
		Use:               "describe NAME",
		Short:             "Show a revision",
		Example:           `  runnel revisions describe hello-00001-abc --format 'value(spec.containers[0].image)'`,
		Args:              verb.WantOne("the revision's name"),
		ValidArgsFunction: c.completeRevisions,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			revision, err := getRevision(ctx, r, args[0])
			if err != nil {
				return err
			}
			return c.Show(
				func(export bool) (format.Row, error) { return c.revisionRow(revision, export) },
				func() []byte { return c.revisionText(revision) },
			)
		}),
	}
}

// showService writes a service.
func (c *commands) showService(service *runpb.Service) error {
	return c.Show(
		func(export bool) (format.Row, error) { return c.serviceRow(service, export) },
		func() []byte { return c.serviceText(service) },
	)
}
