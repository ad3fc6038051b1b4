package services

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/source"
	"runnel/cmd/runnel/verb"
)

const longDeploy = `Make a service from an image or a directory, or a new revision of one that is
there: what no flag names stays as it is. The daemon fetches the image, starts an
instance of the new revision, and moves the traffic to it once that listens; if it
does not, the revision before keeps the traffic, and the exit status is 1.

The container is to listen for HTTP requests on the port that the environment
variable PORT names, 8080 unless --port says otherwise.

A service is private: callers need an identity token of somebody who may invoke
it. --allow-unauthenticated opens it to everybody; without that flag or its
opposite a new service asks, on a terminal. "runnel services proxy" calls a
private one.

--source deploys a directory. With --no-build and --base-image it is laid on that
image as /workspace, where programs start; the image's own command is run unless
--command and --args say otherwise. What it needs has to be in it. Without those
two flags its Dockerfile is built by buildah, on this machine. .git is left out,
and what .gcloudignore or else .dockerignore name. To deploy the directory again,
name the same flags again.

Lists are separated by commas; a list that begins with ^X^ is separated by X
instead. With several containers, what stands behind a --container is about that
one; the one with a --port takes the requests.
` + where

const exampleDeploy = `  # a service that everybody may call
  runnel deploy hello --image host:5000/hello:v1 --allow-unauthenticated
  curl http://hello.run.localhost:8080/

  # a directory, laid on an image as it is
  runnel deploy hello --source . --no-build --base-image python:3-slim \
       --command python3 --args main.py --allow-unauthenticated

  # a new revision that is tried out before it gets traffic
  runnel deploy hello --image host:5000/hello:v2 --no-traffic --tag next
  curl http://next---hello.run.localhost:8080/
  runnel services update-traffic hello --to-tags next=10

  # bounds, and a start that is over when /ready answers
  runnel deploy api --image host:5000/api --port 3000 --cpu 2 --memory 1Gi \
       --concurrency 40 --timeout 30s --min-instances 1 --max-instances 5 \
       --set-env-vars MODE=full,LEVEL=info --startup-probe httpGet.path=/ready

  # a proxy in front of the server, with a volume that both see
  runnel deploy web --add-volume name=shared,type=in-memory,size-limit=64Mi \
       --container front --image nginx --port 8080 --depends-on app \
       --add-volume-mount volume=shared,mount-path=/shared \
       --container app --image host:5000/app \
       --add-volume-mount volume=shared,mount-path=/shared`

// NewDeploy builds "runnel deploy".
func NewDeploy(e cli.Env) *cobra.Command {
	c := newCommands(e)
	cmd := &cobra.Command{
		Use:               "deploy NAME {--image IMAGE | --source DIR} [flags]",
		Short:             "Make a service, or a new revision of it",
		Long:              longDeploy,
		Example:           exampleDeploy,
		Args:              verb.WantAtMostOne("service name"),
		ValidArgsFunction: c.completeServices,
	}
	s := c.newSubmission(cmd)
	s.force = true
	s.source = source.Register(cmd.Flags())
	s.access.Register(cmd.Flags(), "allow-unauthenticated", "everybody may call the service")
	c.Register(cmd, "service")
	check := func() error {
		if err := s.check(); err != nil {
			return err
		}
		if err := s.access.Check(); err != nil {
			return err
		}
		if err := s.source.Check(); err != nil {
			return err
		}
		if file := cmd.Flags().Arg(0); len(s.changes.Containers().Images()) == 0 && !s.source.Given() && isFile(file) {
			return cli.Usagef("--image is missing; did you mean runnel services replace %s?", file)
		}
		return s.changes.Containers().CheckImages(s.source.Given())
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		name, err := c.NameArgument(ctx, args, "service", cmp.Or(s.changes.Containers().Image(), s.source.Name()))
		if err != nil {
			return err
		}
		return s.deploy(ctx, r, r.Full(servicesOf, name))
	})
	return cmd
}

// isFile reports whether the name of a service is rather one of a file.
func isFile(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// deploy makes the service of a full name, or a revision of it.
func (s *submission) deploy(ctx context.Context, r *verb.Remote, name string) error {
	found, err := r.Client.Services.GetService(ctx, &runpb.GetServiceRequest{Name: name})
	if err != nil && !verb.Is(err, codes.NotFound) {
		return err
	}
	if s.existing = found; verb.Is(err, codes.NotFound) {
		s.existing = nil
	}
	if s.existing == nil && s.changes.NoTraffic() {
		return cli.Usagef("--no-traffic: the service is new, and has no revision yet that could keep the traffic")
	}
	if err := s.decideAccess(ctx, name); err != nil {
		return err
	}
	if err := s.source.Upload(ctx, s.Env, r.Client); err != nil {
		return err
	}
	w := release.Words{Doing: "Deploying container to", Header: "Deploying...", Async: "deploying"}
	if s.existing == nil {
		w.Header = "Deploying new service..."
	}
	return s.store(ctx, r, name, w, s.createOrUpdate)
}

// decideAccess finds out whether everybody may call a new service, where no
// flag says: who is there to answer is asked.
func (s *submission) decideAccess(ctx context.Context, name string) error {
	if s.access.Given() {
		s.open = &s.access.On
		return nil
	}
	if s.existing != nil || s.changes.Public() || !s.Env.Attended || s.Quiet {
		return nil
	}
	open, err := s.Agrees(ctx, "Allow unauthenticated invocations to ["+verb.Short(name)+"]")
	if open {
		s.open = &open
	}
	return err
}
