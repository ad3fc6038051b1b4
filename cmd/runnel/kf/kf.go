// Package kf is "runnel kf": the commands of kf, and so of cf, for apps that run
// tasks, as a client of a daemon's API. An app is a Cloud Run job, a task an
// execution of it; a Kf job is a Cloud Run job made from its app, and its
// schedule one of Cloud Scheduler. What a command returns goes to standard
// output, all that is said about it to standard error.
package kf

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/verb"
)

const longKf = `Push apps that run tasks, run and schedule these, with the commands of kf, which
are those of cf, for people who come from there. Apps that serve requests are
services here: see "runnel deploy".

An app is a job, and a task is an execution of it; a job of kf's is a job as
well, made from its app. So "runnel jobs" sees them all. A space is a project.

The daemon is that of this machine, on ` + client.DefaultHost + `,
unless --host or RUNNEL_HOST names another.`

const exampleKf = `  runnel kf push etl --task --docker-image debian:stable-slim --env MODE=full
  runnel kf run-task etl -c 'echo $MODE' --name first
  runnel kf tasks etl
  runnel kf logs etl --task --recent
  runnel kf create-job etl nightly 'echo $MODE' -s '0 2 * * *'
  runnel kf jobs`

// Collections of what the commands are about, below a location.
const (
	jobsOf       = "jobs"
	executionsOf = "jobs/" + verb.AnyID + "/executions" // whatever their job
)

// commands is what all commands share.
type commands struct{ *verb.Frame }

// New builds "runnel kf" with everything below it.
func New(e cli.Env) *cobra.Command {
	c := &commands{verb.NewFrame(e)}
	root := cli.Group(&cobra.Command{
		Use:     "kf",
		Short:   "Run tasks of apps with the commands of kf",
		Long:    longKf,
		Example: exampleKf,
	})
	c.Register(root, "app")
	_ = root.PersistentFlags().MarkHidden("format") // they have -o
	root.PersistentFlags().Lookup("region").Usage = "region of the app (default the daemon's)"
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "space" {
			name = "project"
		}
		return pflag.NormalizedName(name)
	})
	root.PersistentPreRunE = noFormat
	root.AddCommand(
		c.push(), c.apps(), c.deleteApp(),
		c.runTask(), c.tasks(), c.terminateTask(), c.logs(),
		c.createJob(), c.runJob(), c.jobs(), c.jobHistory(), c.deleteJob(),
		c.scheduleJob(), c.jobSchedules(), c.deleteJobSchedule(),
	)
	return root
}

// noFormat refuses --format, which all other commands of the program have and
// these would ignore.
func noFormat(cmd *cobra.Command, _ []string) error {
	switch {
	case !cmd.Flags().Changed("format"):
		return nil
	case cmd.Flags().Lookup("output") != nil:
		return cli.Usagef("unknown flag --format; did you mean --output?")
	}
	return cli.Usagef("unknown flag --format; see %s --help", cmd.CommandPath())
}

// want is the Args of a command that needs some things, and may have more.
func want(most int, what ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for i, name := range what {
			if len(args) <= i || args[i] == "" {
				return cli.Usagef("%s is missing", name)
			}
		}
		if len(args) > most {
			return cli.Usagef("unexpected argument %q", args[most])
		}
		return nil
	}
}
