package workerpools

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/verb"
)

// update builds "runnel worker-pools update".
func (c *commands) update() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update NAME [flags]",
		Short: "Change a worker pool",
		Long: `Change what the flags name. All else stays as it is. What changes how instances
run makes a new revision, which takes over once its instances have started; the
rest, such as how many there are, holds at once.`,
		Example: `  runnel worker-pools update puller --instances 5
  runnel worker-pools update puller --instances 0
  runnel worker-pools update puller --update-env-vars MODE=delta --remove-env-vars DAY
  runnel worker-pools update puller --container redis --image redis:8`,
		Args:              verb.WantOne("the worker pool's name"),
		ValidArgsFunction: c.completePools,
	}
	s := c.newSubmission(cmd)
	check := func() error {
		if err := s.changes.Check(); err != nil {
			return err
		}
		if !s.changes.Given() {
			return cli.Usagef("nothing to change: name at least one setting, see %s --help", cmd.CommandPath())
		}
		return nil
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		pool, err := getPool(ctx, r, args[0])
		if err != nil {
			return err
		}
		makes, err := s.makesRevision(pool)
		if err != nil {
			return err
		}
		w := release.Words{Header: "Deploying...", Async: "deploying"}
		if !makes {
			w = release.Words{
				Header: "Updating...", Failed: "Update failed", Async: "updating", Quiet: true,
				Done: "Worker pool [" + verb.Short(pool.GetName()) + "] has been updated.",
			}
		}
		return s.store(ctx, r, pool.GetName(), w, s.change)
	})
	return cmd
}

// makesRevision reports whether the flags change what instances run.
func (s *submission) makesRevision(pool *runpb.WorkerPool) (bool, error) {
	before, after := proto.Clone(pool).(*runpb.WorkerPool), proto.Clone(pool).(*runpb.WorkerPool)
	if err := s.changes.Apply(after); err != nil {
		return false, err
	}
	if before.Template != nil && after.Template.GetRevision() == "" {
		before.Template.Revision = ""
	}
	return !proto.Equal(before.GetTemplate(), after.GetTemplate()), nil
}
