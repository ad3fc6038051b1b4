// Package schedules is "runnel schedules": looking after what runs jobs by the
// clock, as a client of a daemon's API. "runnel jobs schedule" makes them. What a
// verb returns goes to standard output, all that is said about it to standard
// error. Whatever the daemon decides is left to it.
package schedules

import (
	"context"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

const longSchedules = `Look after the schedules of a daemon ("runnel serve"). "runnel jobs schedule"
makes them, and so does "gcloud scheduler jobs create http".

A schedule runs a job at the times of a cron expression in a time zone. What runs
are the job's executions. Of ticks that were missed because the host was down,
the newest is run afterwards, if it is not older than a week.

The daemon is that of this machine, on ` + client.DefaultHost + `,
unless --host or RUNNEL_HOST names another: unix:///PATH, http://HOST:PORT or
https://HOST:PORT. Over TCP it asks for a token (--token-file or
RUNNEL_TOKEN_FILE).`

const exampleSchedules = `  runnel jobs schedule etl "0 3 * * *" --time-zone Europe/Paris
  runnel schedules list
  runnel schedules describe etl
  runnel schedules run etl
  runnel schedules pause etl`

// schedulesOf is the collection of schedules, below a location.
const schedulesOf = "jobs"

// commands is what all verbs share.
type commands struct {
	*verb.Frame
	sheet.Palette
}

// New builds "runnel schedules" with everything below it.
func New(e cli.Env) *cobra.Command {
	c := &commands{Frame: verb.NewFrame(e), Palette: sheet.PaletteOf(e)}
	root := cli.Group(&cobra.Command{
		Use:     "schedules",
		Short:   "Look after what runs jobs by the clock",
		Long:    longSchedules,
		Example: exampleSchedules,
	})
	c.Register(root, "schedule")
	root.AddCommand(c.list(), c.describe(), c.update(), c.pause(), c.resume(), c.run(), c.delete())
	return root
}

// get is the schedule of a name.
func get(ctx context.Context, r *verb.Remote, name string) (*schedulerpb.Job, error) {
	s, err := r.Client.Schedules.GetJob(ctx, &schedulerpb.GetJobRequest{Name: r.Full(schedulesOf, name)})
	if err != nil {
		return nil, missing(r, err, name)
	}
	return s, nil
}

// missing says that there is no schedule of a name, if that is what err is about.
func missing(r *verb.Remote, err error, name string) error {
	return r.Missing(err, "schedule", name, "runnel schedules list")
}

// complete are the names of schedules.
func (c *commands) complete(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return c.Complete(cmd, args, func(ctx context.Context, r *verb.Remote) (names []string) {
		page, _ := r.Client.Schedules.ListJobs(ctx, &schedulerpb.ListJobsRequest{Parent: r.Location(), PageSize: verb.MaxCompletions})
		for _, s := range page.GetJobs() {
			names = append(names, verb.Short(s.GetName()))
		}
		return names
	})
}
