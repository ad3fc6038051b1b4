package services

import (
	"context"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/verb"
)

// update builds "runnel services update".
func (c *commands) update() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update NAME [flags]",
		Short: "Change a service",
		Long: `Change what the flags name. All else stays as it is. What changes how instances
run makes a new revision, which gets the traffic once it has started; the rest
holds at once.`,
		Example: `  runnel services update hello --concurrency 20 --memory 1Gi
  runnel services update hello --update-env-vars MODE=delta --remove-env-vars DAY
  runnel services update hello --min 1 --max 10
  runnel services update hello --container front --image nginx:1.29`,
		Args:              verb.WantOne("the service's name"),
		ValidArgsFunction: c.completeServices,
	}
	s := c.newSubmission(cmd)
	check := func() error {
		if err := s.check(); err != nil {
			return err
		}
		if !s.changes.Given() {
			return cli.Usagef("nothing to change: name at least one setting, see %s --help", cmd.CommandPath())
		}
		return nil
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) (err error) {
		if s.existing, err = getService(ctx, r, args[0]); err != nil {
			return err
		}
		makes, err := s.makesRevision(s.existing)
		if err != nil {
			return err
		}
		w := release.Words{Header: "Deploying...", Async: "deploying"}
		if !makes {
			w = release.Words{Header: "Updating...", Failed: "Update failed", Async: "updating", Quiet: true, Done: "Service [" + verb.Short(s.existing.GetName()) + "] has been updated."}
		}
		return s.store(ctx, r, s.existing.GetName(), w, s.change)
	})
	return cmd
}
