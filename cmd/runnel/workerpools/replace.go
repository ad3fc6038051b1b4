package workerpools

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	v1 "runnel/api/v1"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/verb"
)

// replace builds "runnel worker-pools replace".
func (c *commands) replace() *cobra.Command {
	s := &submission{commands: c}
	cmd := &cobra.Command{
		Use:   "replace FILE",
		Short: "Create or replace a worker pool from a file",
		Long: `Create a worker pool from a file (kind WorkerPool of run.googleapis.com/v1), or
make the worker pool of that name what the file says: what the file does not
mention gets its default. "-" reads the file from standard input.`,
		Example: `  runnel worker-pools describe puller --format export > puller.yaml
  runnel worker-pools replace puller.yaml`,
		Args: verb.WantOne("the worker pool's file"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		pool, err := cli.ParseFile(args[0], c.Env.Stdin, v1.ParseWorkerPool, v1.ValidateWorkerPool)
		if err != nil {
			return err
		}
		return c.Connected(func(ctx context.Context, r *verb.Remote, _ []string) error { return s.replacePool(ctx, r, pool) })(cmd, args)
	}
	cmd.Flags().BoolVar(&s.async, "async", false, "return at once, and let things happen")
	return cmd
}

// replacePool stores a worker pool that a file describes in full.
func (s *submission) replacePool(ctx context.Context, r *verb.Remote, pool *runpb.WorkerPool) error {
	pool.Name = r.Full(poolsOf, verb.Short(pool.GetName()))
	w := release.Words{Doing: "Applying new configuration to", Header: "Deploying...", Async: "deploying"}
	if err := s.find(ctx, r, pool.GetName()); err != nil {
		return err
	}
	if s.existing == nil {
		w.Header = "Deploying new worker pool..."
	}
	return s.store(ctx, r, pool.GetName(), w, func(ctx context.Context, r *verb.Remote, _ string) (*longrunningpb.Operation, error) {
		return update(ctx, r, &runpb.UpdateWorkerPoolRequest{WorkerPool: pool, AllowMissing: true})
	})
}
