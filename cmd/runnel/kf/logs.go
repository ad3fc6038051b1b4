package kf

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/entries"
	"runnel/cmd/runnel/verb"
)

// defaultLines is how many lines are shown first. Source: kf logs.
const defaultLines = 10

// logs builds "runnel kf logs".
func (c *commands) logs() *cobra.Command {
	var task, recent bool
	lines := defaultLines
	cmd := &cobra.Command{
		Use:   "logs APP --task [flags]",
		Short: "Show what the tasks of an app have printed",
		Long: `Show the last lines that the tasks of an app, or of a job, have printed and, unless
--recent is given, go on until those that run have ended.`,
		Example: `  runnel kf logs etl --task
  runnel kf logs etl --task --recent -n 200`,
		Args:              want(1, "the app's name"),
		ValidArgsFunction: c.completeApps,
	}
	cmd.Flags().BoolVar(&task, "task", false, "show the logs of tasks: there are no others")
	cmd.Flags().IntVarP(&lines, "number", "n", lines, "most `lines` to begin with, the latest ones")
	cmd.Flags().BoolVar(&recent, "recent", false, "show what there is, and go on with nothing")
	check := func() error {
		switch {
		case !task:
			return cli.Usagef("--task is missing: an app has the logs of its tasks")
		case lines < 1:
			return cli.Usagef("--number %d: want 1 or more", lines)
		}
		return nil
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		job, err := r.Client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: r.Full(jobsOf, args[0])})
		if err != nil {
			return r.Missing(err, "app", args[0], "runnel kf apps")
		}
		if appOf(job) == "" {
			return client.NewError("job ["+args[0]+"] is not an app; see \"runnel jobs logs\"", nil)
		}
		return entries.Show(ctx, c.Frame, r, job.GetName(), lines, !recent)
	})
	return cmd
}
