package services

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	v1 "runnel/api/v1"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/verb"
)

// replace builds "runnel services replace".
func (c *commands) replace() *cobra.Command {
	s := &submission{commands: c}
	cmd := &cobra.Command{
		Use:   "replace FILE",
		Short: "Create or replace a service from a file",
		Long: `Create a service from a Knative file (kind Service of serving.knative.dev/v1), or
make the service of that name what the file says: what the file does not mention
gets its default. "-" reads the file from standard input.`,
		Example: `  runnel services describe hello --format export > hello.yaml
  runnel services replace hello.yaml`,
		Args: verb.WantOne("the service's file"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		service, err := cli.ParseFile(args[0], c.Env.Stdin, v1.ParseService, v1.ValidateService)
		if err != nil {
			return err
		}
		return c.Connected(func(ctx context.Context, r *verb.Remote, _ []string) error { return s.replaceService(ctx, r, service) })(cmd, args)
	}
	cmd.Flags().BoolVar(&s.async, "async", false, "return at once, and let things happen")
	return cmd
}

// replaceService stores a service that a file describes in full.
func (s *submission) replaceService(ctx context.Context, r *verb.Remote, service *runpb.Service) error {
	id := verb.Short(service.GetName())
	service.Name = r.Full(servicesOf, id)
	w := release.Words{Doing: "Applying new configuration to", Header: "Deploying...", Async: "deploying"}
	existing, err := r.Client.Services.GetService(ctx, &runpb.GetServiceRequest{Name: service.GetName()})
	switch {
	case verb.Is(err, codes.NotFound):
		w.Header = "Deploying new service..."
	case err != nil:
		return err
	default:
		s.existing = existing
	}
	s.applied = true
	return s.store(ctx, r, service.GetName(), w, func(ctx context.Context, r *verb.Remote, _ string) (*longrunningpb.Operation, error) {
		service.Client, service.ClientVersion = release.ClientName, ""
		return r.Client.Services.UpdateService(ctx, &runpb.UpdateServiceRequest{Service: service, AllowMissing: true})
	})
}
