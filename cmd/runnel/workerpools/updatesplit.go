package workerpools

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
	"runnel/cmd/runnel/workerpools/split"
)

// shift is the flags of update-instance-split.
type shift struct {
	toLatest    bool
	toRevisions []string
}

// updateSplit builds "runnel worker-pools update-instance-split".
func (c *commands) updateSplit() *cobra.Command {
	s := &submission{commands: c}
	var to shift
	cmd := &cobra.Command{
		Use:   "update-instance-split NAME [flags]",
		Short: "Say which revisions have the instances of a worker pool",
		Long: `Give revisions their shares of a worker pool's instances, in percent. LATEST is
the latest revision that is ready, now and in future. Revisions that are not named
share the rest in proportion to what they have; 0 takes a revision's share away.
Instances are whole, and what rounding leaves goes to those that lose most by it:
a tenth of three is none, a third is one.

Instances of a revision that has lost its share get SIGTERM and have 10 seconds to
end.`,
		Example: `  # a tenth of the instances, if there are ten, tries out a revision
  runnel worker-pools update-instance-split puller --to-revisions puller-00002-def=10

  # back to the revision before
  runnel worker-pools update-instance-split puller --to-revisions puller-00001-abc=100

  # each deploy takes over again
  runnel worker-pools update-instance-split puller --to-latest`,
		Args:              verb.WantOne("the worker pool's name"),
		ValidArgsFunction: c.completePools,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&to.toLatest, "to-latest", false, "all instances are of the latest revision that is ready, now and in future")
	flags.StringArrayVar(&to.toRevisions, "to-revisions", nil, "shares of revisions, `REVISION=PERCENT,...`")
	flags.BoolVar(&s.async, "async", false, "return at once, and let things happen")
	cmd.RunE = c.Checked(func() error { return to.check(cmd) }, func(ctx context.Context, r *verb.Remote, args []string) error {
		return s.shift(ctx, r, args[0], to)
	})
	return cmd
}

// check reads the flags.
func (t shift) check(cmd *cobra.Command) error {
	latest, revisions := cmd.Flags().Changed("to-latest"), cmd.Flags().Changed("to-revisions")
	switch {
	case latest && revisions:
		return cli.Usagef("--to-revisions: cannot stand beside --to-latest")
	case !t.toLatest && !revisions:
		return cli.Usagef("nothing to change: name --to-latest or --to-revisions, see %s --help", cmd.CommandPath())
	}
	named, err := shares.Parse("to-revisions", t.toRevisions)
	if err == nil && revisions && len(named) == 0 {
		return cli.Usagef("--to-revisions: want REVISION=PERCENT,...")
	}
	return err
}

// apply is which revisions have the instances once the flags hold.
func (t shift) apply(splits []*runpb.InstanceSplit) ([]*runpb.InstanceSplit, error) {
	if t.toLatest {
		return split.Splits(split.Shares(nil)), nil
	}
	named, err := shares.Parse("to-revisions", t.toRevisions)
	if err != nil {
		return nil, err
	}
	all, err := shares.Set(split.Shares(splits), named)
	if err != nil {
		return nil, cli.Usagef("--to-revisions: %v", err)
	}
	return split.Splits(all), nil
}

// shift changes which revisions have the instances of a worker pool, waits until
// they do, and shows it.
func (s *submission) shift(ctx context.Context, r *verb.Remote, name string, to shift) error {
	existing, err := getPool(ctx, r, name)
	if err != nil {
		return err
	}
	w := release.Words{Header: "Updating instance split...", Failed: "Updating instance split failed", Async: "updating its instance split"}
	p := release.NewProgress(release.Surroundings(s.Env, s.async), w.Header, []release.Stage{{Name: "Splitting instances...", Condition: release.Ready}})
	pool, err := s.carry(ctx, r, existing.GetName(), p, func(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error) {
		return release.Retry(func() (*longrunningpb.Operation, error) {
			pool, err := getPool(ctx, r, name)
			if err != nil {
				return nil, err
			}
			if pool.InstanceSplits, err = to.apply(pool.GetInstanceSplits()); err != nil {
				return nil, err
			}
			return update(ctx, r, &runpb.UpdateWorkerPoolRequest{WorkerPool: pool})
		})
	})
	var failure *verb.Failed
	switch {
	case errors.As(err, &failure):
		p.Tracker.Close(stages.Failed, w.Failed)
		return client.NewError(failure.Error(), failure.Status.Err())
	case err != nil:
		return kind.Ended(ctx, s.Frame, p.Tracker, existing.GetName(), w, pool, release.InFlags(r, err, flagOfSplit))
	}
	p.Tracker.Close(stages.Done, "Done.")
	if s.async {
		s.Say("Updating instance split asynchronously.")
		return nil
	}
	return s.showSplit(pool)
}

// flagOfSplit is the flag that has set a field of a worker pool.
func flagOfSplit(path string) string {
	if strings.HasPrefix(strings.TrimPrefix(path, "workerPool."), "instanceSplits") {
		return "--to-revisions"
	}
	return path
}

// showSplit writes which revisions have the instances of a worker pool.
func (c *commands) showSplit(pool *runpb.WorkerPool) error {
	f, err := c.Form()
	if err != nil {
		return err
	}
	if f.Kind == format.Default {
		var b bytes.Buffer
		writeSplit(&b, pool)
		return c.Write(b.Bytes())
	}
	var rows []format.Row
	for _, p := range pairsOf(pool) {
		row, err := sheet.Row(p, nil)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	out, err := f.List(rows)
	if err != nil {
		return err
	}
	return c.Write(out)
}
