package services

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
	"runnel/cmd/runnel/family"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/services/traffic"
	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
)

// shift is the flags of update-traffic.
type shift struct {
	toLatest            bool
	toRevisions, toTags []string
	tags                family.Mapping
}

// updateTraffic builds "runnel services update-traffic".
func (c *commands) updateTraffic() *cobra.Command {
	s := &submission{commands: c}
	var to shift
	cmd := &cobra.Command{
		Use:   "update-traffic NAME [flags]",
		Short: "Say which revisions get the requests of a service",
		Long: `Give revisions their shares of a service's requests, in percent. LATEST is the
latest revision that is ready, now and in future. Revisions that are not named
share the rest in proportion to what they have; 0 takes a revision's share away.

A tag gives a revision, or LATEST, a URL of its own, whatever its share. Tags change before
shares do. Nothing that runs is cut off.`,
		Example: `  # a tenth of the requests tries out a revision
  runnel services update-traffic hello --to-revisions hello-00002-def=10

  # back to the revision before
  runnel services update-traffic hello --to-revisions hello-00001-abc=100

  # each deploy takes over again
  runnel services update-traffic hello --to-latest

  # a URL for the latest revision: http://next---hello.run.localhost:8080
  runnel services update-traffic hello --update-tags next=LATEST`,
		Args:              verb.WantOne("the service's name"),
		ValidArgsFunction: c.completeServices,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&to.toLatest, "to-latest", false, "all requests go to the latest revision that is ready, now and in future")
	flags.StringArrayVar(&to.toRevisions, "to-revisions", nil, "shares of revisions, `REVISION=PERCENT,...`")
	flags.StringArrayVar(&to.toTags, "to-tags", nil, "shares of the revisions that tags lead to, `TAG=PERCENT,...`")
	to.tags.Register(flags, "tags", "tags")
	flags.BoolVar(&s.async, "async", false, "return at once, and let things happen")
	cmd.RunE = c.Checked(func() error { return to.check(cmd) }, func(ctx context.Context, r *verb.Remote, args []string) error {
		s.flagOf = to.flagOf
		return s.shift(ctx, r, args[0], &to)
	})
	return cmd
}

// check reads the flags.
func (t *shift) check(cmd *cobra.Command) error {
	var given []string
	for _, name := range []string{"to-latest", "to-revisions", "to-tags"} {
		if cmd.Flags().Changed(name) {
			given = append(given, name)
		}
	}
	switch {
	case len(given) > 1:
		return cli.Usagef("--%s: cannot stand beside --%s", given[1], given[0])
	case len(given) == 0 && t.tags.Given() == "":
		return cli.Usagef("nothing to change: name --to-latest, --to-revisions, --to-tags or a change of tags, see %s --help", cmd.CommandPath())
	}
	for name, values := range map[string][]string{"to-revisions": t.toRevisions, "to-tags": t.toTags} {
		if _, err := shares.Parse(name, values); err != nil {
			return err
		}
	}
	return t.tags.Check()
}

// flagOf is the flag that has set a field of a service.
func (t *shift) flagOf(path string) string {
	switch {
	case !strings.HasPrefix(strings.TrimPrefix(path, "service."), "traffic"):
		return path
	case strings.HasSuffix(path, "tag") && t.tags.Given() != "" || len(t.toRevisions) == 0 && t.tags.Given() != "":
		return "--" + t.tags.Given()
	}
	return "--to-revisions"
}

// apply is where requests go once the flags hold.
func (t *shift) apply(targets []*runpb.TrafficTarget) ([]*runpb.TrafficTarget, error) {
	if t.tags.Given() != "" {
		set := map[string]string{}
		for _, p := range t.tags.Pairs() {
			set[p.Name] = p.Value
		}
		targets = traffic.SetTags(targets, set, t.tags.Removed(), t.tags.Clears())
	}
	flag, wanted := "to-revisions", map[string]int32{}
	switch {
	case t.toLatest:
		flag, wanted = "to-latest", map[string]int32{shares.Latest: shares.Whole}
	case len(t.toTags) > 0:
		flag = "to-tags"
		byTag, _ := shares.Parse(flag, t.toTags)
		for tag, share := range byTag {
			key, ok := traffic.Tagged(targets, tag)
			if !ok {
				return nil, cli.Usagef("--to-tags %s=%d: the service has no tag of that name", tag, share)
			}
			wanted[key] += share
		}
	case len(t.toRevisions) > 0:
		wanted, _ = shares.Parse(flag, t.toRevisions)
	default:
		return targets, nil
	}
	targets, err := traffic.SetPercents(targets, wanted)
	if err != nil {
		return nil, cli.Usagef("--%s: %v", flag, err)
	}
	return targets, nil
}

// shift changes where the requests of a service go, waits until they do, and
// shows it.
func (s *submission) shift(ctx context.Context, r *verb.Remote, name string, to *shift) (err error) {
	if s.existing, err = getService(ctx, r, name); err != nil {
		return err
	}
	w := release.Words{Header: "Updating traffic...", Failed: "Updating traffic failed", Async: "updating its traffic"}
	p := s.newRouting(w)
	service, err := s.carry(ctx, r, s.existing.GetName(), p, func(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error) {
		return release.Retry(func() (*longrunningpb.Operation, error) {
			service, err := getService(ctx, r, name)
			if err != nil {
				return nil, err
			}
			if service.Traffic, err = to.apply(service.GetTraffic()); err != nil {
				return nil, err
			}
			return update(ctx, r, service)
		})
	})
	var failure *verb.Failed
	switch {
	case errors.As(err, &failure):
		p.Tracker.Close(stages.Failed, w.Failed)
		return client.NewError(failure.Error(), failure.Status.Err())
	case err != nil:
		return kind.Ended(ctx, s.Frame, p.Tracker, s.existing.GetName(), w, service, s.inFlags(r, err))
	}
	p.Tracker.Close(stages.Done, "Done.")
	if s.async {
		s.Say("Updating traffic asynchronously.")
		return nil
	}
	return s.showTraffic(service)
}

// showTraffic writes where the requests of a service go.
func (c *commands) showTraffic(service *runpb.Service) error {
	f, err := c.Form()
	if err != nil {
		return err
	}
	if f.Kind == format.Default {
		var b bytes.Buffer
		sheet.Write(&b, []sheet.Item{sheet.Line(0, "URL", service.GetUri())})
		writeTraffic(&b, service)
		return c.Write(b.Bytes())
	}
	var rows []format.Row
	for _, p := range pairsOf(service) {
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
