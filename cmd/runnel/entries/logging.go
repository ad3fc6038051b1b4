// Package entries shows what instances have printed: the entries that a daemon
// keeps of a job, a service or a part of one, as lines of text or in the forms
// of --format.
package entries

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// Logging is a verb that shows what instances have printed.
type Logging struct {
	*verb.Frame
	// Find is the full name of the resource that a person calls name.
	Find func(ctx context.Context, r *verb.Remote, name string) (full string, err error)
	// About are the terms of a filter that is true of the resource's entries.
	About func(full string) []string
	// Of is whose output it is, as help calls it.
	Of string

	// What follows is for verbs that have flags of their own; all may be nil.

	// Flags adds those, CheckFlags reads them.
	Flags      func(*pflag.FlagSet)
	CheckFlags func() error
	// Query is what they add to a question for all entries, Chosen reports
	// whether they leave some out.
	Query  func() map[string][]string
	Chosen func() bool

	follow, system   bool
	limit            int
	freshness        string
	severity, filter string

	since time.Duration // from freshness, by check; 0 for all
	shape format.Format // from --format, by check: not read again for each entry
	shown bool          // an entry was
}

// Command completes cmd, a verb that shows logs. It may be written as gcloud has
// it, too: logs read NAME, logs tail NAME. Each of them gets what logging makes.
func Command(cmd *cobra.Command, logging func() *Logging) *cobra.Command {
	logging().attach(cmd, false)
	for _, as := range []struct {
		use, short string
		follow     bool
	}{
		{"read NAME", "The same as logs", false},
		{"tail NAME", "The same as logs --follow", true},
	} {
		alias := &cobra.Command{
			Use: as.use, Short: as.short, Example: cmd.Example, Args: cmd.Args,
			ValidArgsFunction: cmd.ValidArgsFunction, Hidden: true,
		}
		logging().attach(alias, as.follow)
		cmd.AddCommand(alias)
	}
	return cmd
}

// attach gives cmd its flags and what it does.
func (l *Logging) attach(cmd *cobra.Command, follow bool) {
	l.follow = follow
	l.register(cmd.Flags())
	cmd.RunE = l.Checked(l.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		name, err := l.Find(ctx, r, args[0])
		if err != nil {
			return err
		}
		show := l.stream
		if l.filter != "" {
			show = l.list
		}
		if err := show(ctx, r, name); err != nil {
			return err
		}
		l.sayIfNothing()
		return nil
	})
}

// Show shows the latest entries of what tasks of a resource, by its full name,
// have printed, at most limit lines, and with follow those that come until all is
// over.
func Show(ctx context.Context, f *verb.Frame, r *verb.Remote, full string, limit int, follow bool) error {
	l := &Logging{Frame: f, Of: "tasks", limit: limit, follow: follow}
	var err error
	if l.shape, err = l.Form(); err != nil {
		return err
	}
	if err := l.stream(ctx, r, full); err != nil {
		return err
	}
	if !l.shown {
		f.Say("Nothing has been printed.")
	}
	return nil
}

// sayIfNothing says where else to look if there was nothing to show, as of
// instances that could not be started.
func (l *Logging) sayIfNothing() {
	switch {
	case l.shown:
	case l.Chosen != nil && l.Chosen() || l.since > 0 || l.severity != "" || l.filter != "":
		l.Say("Nothing has been printed that the flags are true of.")
	case l.system:
		l.Say("Nothing has been printed.")
	default:
		l.Say("Nothing has been printed. What Runnel has to say about the %s is shown with --system.", l.Of)
	}
}

// register adds the flags to set.
func (l *Logging) register(set *pflag.FlagSet) {
	set.BoolVarP(&l.follow, "follow", "f", l.follow, "go on as more is printed, until all is over")
	set.IntVar(&l.limit, "limit", 0, "most lines to show, the latest ones (default all)")
	if l.Flags != nil {
		l.Flags(set)
	}
	set.StringVar(&l.freshness, "freshness", "", "show nothing older than a `duration` such as 10m, 24h or 7d")
	set.StringVar(&l.severity, "severity", "", "show nothing below a `level` such as WARNING or ERROR")
	set.BoolVar(&l.system, "system", false, "show also what Runnel has to say about the "+l.Of+", such as how they ended")
	set.StringVar(&l.filter, "log-filter", "", "show only what an `expression` of Cloud Logging is true of")
}

// check reads the flags.
func (l *Logging) check() (err error) {
	if l.freshness != "" {
		if l.since, err = contract.ParseDuration(l.freshness); err != nil || l.since <= 0 {
			return cli.Usagef("--freshness %s: want a duration such as 10m, 24h or 7d", l.freshness)
		}
	}
	if l.limit < 0 {
		return cli.Usagef("--limit %d: want 1 or more", l.limit)
	}
	if l.CheckFlags != nil {
		if err := l.CheckFlags(); err != nil {
			return err
		}
	}
	if l.filter != "" && l.follow {
		return cli.Usagef("--log-filter: cannot stand beside --follow")
	}
	l.shape, err = l.Form()
	return err
}
