package jobs

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/format"
	"runnel/contract"
)

// logging is a verb that shows what tasks have printed.
type logging struct {
	*commands
	follow, system   bool
	limit, task      int
	freshness        string
	severity, filter string

	since time.Duration // from freshness, by check; 0 for all
	shape format.Format // from --format, by check: not read again for each entry
	shown bool          // an entry was
}

// jobLogs builds "runnel jobs logs".
func (c *commands) jobLogs() *cobra.Command {
	return c.logs(&cobra.Command{
		Use:   "logs NAME",
		Short: "Show what the tasks of a job have printed",
		Long: `Show what the tasks of a job's executions have printed, the oldest lines first.
With --follow, go on until the executions that run have ended.`,
		Example: `  runnel jobs logs etl --limit 100
  runnel jobs logs etl --follow
  runnel jobs logs etl --log-filter 'severity>=ERROR' --format json`,
		Args:              wantOne("the job's name"),
		ValidArgsFunction: c.completeJobs,
	}, func(ctx context.Context, r *remote, name string) (string, error) {
		job, err := r.getJob(ctx, name)
		return job.GetName(), err
	})
}

// executionLogs builds "runnel jobs executions logs".
func (c *commands) executionLogs() *cobra.Command {
	return c.logs(&cobra.Command{
		Use:   "logs NAME",
		Short: "Show what the tasks of an execution have printed",
		Long: `Show what the tasks of an execution have printed, the oldest lines first. With
--follow, go on until the execution has ended.`,
		Example: `  runnel jobs executions logs etl-abcde --task 3
  runnel jobs executions logs etl-abcde --follow`,
		Args:              wantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
	}, func(ctx context.Context, r *remote, name string) (string, error) {
		x, err := r.getExecution(ctx, name)
		return x.GetName(), err
	})
}

// logs completes a verb that shows logs. It may be written as gcloud has it,
// too: logs read NAME, logs tail NAME.
func (c *commands) logs(cmd *cobra.Command, find func(ctx context.Context, r *remote, name string) (full string, err error)) *cobra.Command {
	c.logging(cmd, false, find)
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
		c.logging(alias, as.follow, find)
		cmd.AddCommand(alias)
	}
	return cmd
}

// logging gives cmd its flags and what it does.
func (c *commands) logging(cmd *cobra.Command, follow bool, find func(ctx context.Context, r *remote, name string) (full string, err error)) {
	l := &logging{commands: c, follow: follow}
	l.register(cmd.Flags())
	cmd.RunE = c.checked(l.check, func(ctx context.Context, r *remote, args []string) error {
		name, err := find(ctx, r, args[0])
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

// sayIfNothing says where else to look if there was nothing to show, as of tasks
// that could not be started.
func (l *logging) sayIfNothing() {
	switch {
	case l.shown:
	case l.task >= 0 || l.since > 0 || l.severity != "" || l.filter != "":
		l.say("Nothing has been printed that the flags are true of.")
	case l.system:
		l.say("Nothing has been printed.")
	default:
		l.say("Nothing has been printed. What Runnel has to say about the tasks is shown with --system.")
	}
}

// register adds the flags to set.
func (l *logging) register(set *pflag.FlagSet) {
	set.BoolVarP(&l.follow, "follow", "f", l.follow, "go on as more is printed, until all is over")
	set.IntVar(&l.limit, "limit", 0, "most lines to show, the latest ones (default all)")
	set.IntVar(&l.task, "task", -1, "`index` of the only task to show")
	set.Lookup("task").DefValue = "0" // a zero value, which help does not show
	set.StringVar(&l.freshness, "freshness", "", "show nothing older than a `duration` such as 10m, 24h or 7d")
	set.StringVar(&l.severity, "severity", "", "show nothing below a `level` such as WARNING or ERROR")
	set.BoolVar(&l.system, "system", false, "show also what Runnel has to say about the tasks, such as how they ended")
	set.StringVar(&l.filter, "log-filter", "", "show only what an `expression` of Cloud Logging is true of")
}

// check reads the flags.
func (l *logging) check() (err error) {
	if l.freshness != "" {
		if l.since, err = contract.ParseDuration(l.freshness); err != nil || l.since <= 0 {
			return cli.Usagef("--freshness %s: want a duration such as 10m, 24h or 7d", l.freshness)
		}
	}
	switch {
	case l.limit < 0:
		return cli.Usagef("--limit %d: want 1 or more", l.limit)
	case l.task < -1 || l.task >= contract.MaxTasks:
		return cli.Usagef("--task %d: want 0 to %d", l.task, contract.MaxTasks-1)
	case l.filter != "" && l.follow:
		return cli.Usagef("--log-filter: cannot stand beside --follow")
	}
	l.shape, err = l.form()
	return err
}
