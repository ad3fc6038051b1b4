package workerpools

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

const exampleRevisions = `  runnel worker-pools revisions list --worker-pool puller
  runnel worker-pools revisions describe puller-00001-abc
  runnel worker-pools revisions delete puller-00001-abc --quiet`

// revisions builds "runnel worker-pools revisions" with everything below it.
func (c *commands) revisions() *cobra.Command {
	group := cli.Group(&cobra.Command{
		Use:   "revisions",
		Short: "Look after the revisions of worker pools",
		Long: `Look after the revisions of worker pools. Deploying one makes a revision, and so
does each change of what its instances run.`,
		Example: exampleRevisions,
	})
	group.AddCommand(c.listRevisions(), c.describeRevision(), c.deleteRevision())
	return group
}

// owner adds the flag to cmd that says whose revisions are meant.
func (c *commands) owner(cmd *cobra.Command, usage string) *string {
	pool := cmd.Flags().String("worker-pool", verb.AnyID, usage)
	cmd.Flag("worker-pool").DefValue = ""
	_ = cmd.RegisterFlagCompletionFunc("worker-pool", c.completePools) // fails only for flags that do not exist
	return pool
}

// getRevision is the revision of a name, of a worker pool or of any.
func getRevision(ctx context.Context, r *verb.Remote, pool, name string) (*runpb.Revision, error) {
	if pool != verb.AnyID {
		found, err := getPool(ctx, r, pool)
		if err != nil {
			return nil, err
		}
		pool = found.GetName()
	}
	if !strings.HasPrefix(name, "projects/") {
		name = r.Full(poolsOf, pool) + "/" + revisionsIn + "/" + name
	}
	revision, err := r.Client.Revisions.GetRevision(ctx, &runpb.GetRevisionRequest{Name: name})
	return revision, r.Missing(err, "revision", name, "runnel worker-pools revisions list")
}

// listRevisions builds "runnel worker-pools revisions list".
func (c *commands) listRevisions() *cobra.Command {
	l := &verb.Listing{Frame: c.Frame}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List revisions",
		Example: `  runnel worker-pools revisions list --worker-pool puller
  runnel worker-pools revisions list --filter active=yes --format 'value(name)'`,
		Args: cli.NoArgsBut("worker-pool"),
	}
	pool := c.owner(cmd, "`name` of the worker pool whose revisions to list (default all)")
	cmd.RunE = c.Checked(l.Check, func(ctx context.Context, r *verb.Remote, _ []string) error {
		parent := r.Locations() + "/" + poolsOf + "/" + verb.AnyID
		if *pool != verb.AnyID {
			found, err := getPool(ctx, r, *pool) // a list of none would not tell
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
			return strings.Compare(verb.Part(a.GetName(), poolsOf), verb.Part(b.GetName(), poolsOf))
		})
		return verb.List(l, all, c.revisionRow, []string{"", "REVISION", "ACTIVE", "WORKER_POOL", "DEPLOYED", "DEPLOYED BY"}, c.revisionCells)
	})
	l.Register(cmd)
	return cmd
}

// revisionCells are the columns of a revision.
func (c *commands) revisionCells(revision *runpb.Revision) []string {
	return []string{
		c.Cell(sheet.RevisionState(revision)), verb.Short(revision.GetName()), sheet.Active(revision), verb.Part(revision.GetName(), poolsOf),
		sheet.Moment(revision.GetCreateTime()), revision.GetCreator(),
	}
}

// describeRevision builds "runnel worker-pools revisions describe".
func (c *commands) describeRevision() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "describe NAME",
		Short:             "Show a revision",
		Example:           `  runnel worker-pools revisions describe puller-00001-abc --format 'value(spec.containers[0].image)'`,
		Args:              verb.WantOne("the revision's name"),
		ValidArgsFunction: c.completeRevisions,
	}
	pool := c.owner(cmd, "`name` of the worker pool that has the revision (default any)")
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		revision, err := getRevision(ctx, r, *pool, args[0])
		if err != nil {
			return err
		}
		return c.Show(
			func(export bool) (format.Row, error) { return c.revisionRow(revision, export) },
			func() []byte { return c.revisionText(revision) },
		)
	})
	return cmd
}

// deleteRevision builds "runnel worker-pools revisions delete".
func (c *commands) deleteRevision() *cobra.Command {
	var async bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a revision",
		Long: `Delete a revision and its logs. One that has a share of the instances, or that is
the latest of its worker pool, has to stay.`,
		Example:           `  runnel worker-pools revisions delete puller-00001-abc --quiet`,
		Args:              verb.WantOne("the revision's name"),
		ValidArgsFunction: c.completeRevisions,
	}
	pool := c.owner(cmd, "`name` of the worker pool that has the revision (default any)")
	cmd.Flags().BoolVar(&async, "async", false, "return at once, and let things happen")
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		revision, err := getRevision(ctx, r, *pool, args[0])
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
	return cmd
}
