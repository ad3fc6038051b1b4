package workerpools

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

const longDeploy = `Make a worker pool from an image or, with --source, a directory, as "runnel deploy
--help" tells; or a new revision of one that is there: what no flag names stays as
it is. The daemon fetches the image, starts the instances of the new revision, and
stops those of the one before once all run and their start-up probes, if there are
some, have passed. If they do not, the revision before keeps its instances, and
the exit status is 1.

A worker pool takes no requests: it has no port, and nothing scales it. --instances
says how many instances run. Each has its CPU all the time, and is started again
whenever it ends.

Lists are separated by commas; a list that begins with ^X^ is separated by X
instead. With several containers, what stands behind a --container is about that
one.
` + where

const exampleDeploy = `  # three instances that read a queue
  runnel worker-pools deploy puller --image host:5000/puller --instances 3 \
       --set-env-vars QUEUE=orders --cpu 1 --memory 512Mi

  # a directory, laid on an image as it is
  runnel worker-pools deploy puller --source . --no-build --base-image python:3-slim \
       --command python3 --args main.py

  # a new revision that is tried out with one of the three
  runnel worker-pools deploy puller --image host:5000/puller:v2 --no-promote
  runnel worker-pools update-instance-split puller --to-revisions puller-00002-def=34

  # no instances for now
  runnel worker-pools deploy puller --image host:5000/puller --instances 0

  # a worker that starts when the Redis beside it listens
  runnel worker-pools deploy counter \
       --container worker --image host:5000/counter --depends-on redis \
       --container redis --image redis:7 --startup-probe tcpSocket.port=6379,periodSeconds=1`

// deploy builds "runnel worker-pools deploy".
func (c *commands) deploy() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "deploy NAME {--image IMAGE | --source DIR} [flags]",
		Short:             "Make a worker pool, or a new revision of it",
		Long:              longDeploy,
		Example:           exampleDeploy,
		Args:              verb.WantAtMostOne("worker pool name"),
		ValidArgsFunction: c.completePools,
	}
	s := c.newSubmission(cmd)
	s.force = true
	s.source = source.Register(cmd.Flags())
	check := func() error {
		if err := s.changes.Check(); err != nil {
			return err
		}
		if err := s.source.Check(); err != nil {
			return err
		}
		if file := cmd.Flags().Arg(0); len(s.changes.Containers().Images()) == 0 && !s.source.Given() && isFile(file) {
			return cli.Usagef("--image is missing; did you mean runnel worker-pools replace %s?", file)
		}
		return s.changes.Containers().CheckImages(s.source.Given())
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		name, err := c.NameArgument(ctx, args, "worker pool", cmp.Or(s.changes.Containers().Image(), s.source.Name()))
		if err != nil {
			return err
		}
		return s.deploy(ctx, r, r.Full(poolsOf, name))
	})
	return cmd
}

// deploy makes the worker pool of a full name, or a revision of it.
func (s *submission) deploy(ctx context.Context, r *verb.Remote, name string) error {
	w := release.Words{Doing: "Deploying container to", Header: "Deploying...", Async: "deploying"}
	if err := s.find(ctx, r, name); err != nil {
		return err
	}
	if s.existing == nil {
		w.Header = "Deploying new worker pool..."
		if promotion := s.changes.Promotion(); promotion != nil && !*promotion {
			return cli.Usagef("--no-promote: the worker pool is new, and has no revision yet that could keep the instances")
		}
	}
	if err := s.source.Upload(ctx, s.Env, r.Client); err != nil {
		return err
	}
	return s.store(ctx, r, name, w, s.change)
}

// find finds out whether there is a worker pool of a full name.
func (s *submission) find(ctx context.Context, r *verb.Remote, name string) error {
	pool, err := r.Client.WorkerPools.GetWorkerPool(ctx, &runpb.GetWorkerPoolRequest{Name: name})
	if verb.Is(err, codes.NotFound) {
		return nil
	}
	s.existing = pool
	return err
}

// isFile reports whether the name of a worker pool is rather one of a file.
func isFile(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}
