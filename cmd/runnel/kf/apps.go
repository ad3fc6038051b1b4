package kf

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
)

// apps builds "runnel kf apps".
func (c *commands) apps() *cobra.Command {
	p := &printer{commands: c}
	cmd := &cobra.Command{
		Use:   "apps",
		Short: "List apps",
		Long:  `List apps. They are stopped and have no URL: what runs are their tasks.`,
		Example: `  runnel kf apps
  runnel kf apps -o name`,
		Args: cli.NoArgs,
	}
	p.register(cmd)
	cmd.RunE = c.Checked(p.check, func(ctx context.Context, r *verb.Remote, _ []string) error {
		apps, err := listJobs(ctx, r, isApp)
		if err != nil {
			return err
		}
		var cells [][]string
		var objects []object
		for _, app := range apps {
			limits := container(app).GetResources().GetLimits()
			cells = append(cells, []string{
				verb.Short(app.GetName()), "stopped", limits["memory"], diskOf(app.GetTemplate().GetAnnotations()), limits["cpu"], none,
			})
			objects = append(objects, appObject(app))
		}
		return p.list("Apps in Space: "+r.Project, objects, []string{"Name", "Instances", "Memory", "Disk", "CPU", "URLs"}, cells)
	})
	return cmd
}

// deleteApp builds "runnel kf delete".
func (c *commands) deleteApp() *cobra.Command {
	var f retrying
	cmd := &cobra.Command{
		Use:   "delete APP",
		Short: "Delete an app with its jobs and tasks",
		Long: `Delete an app, its tasks and their logs, its jobs and their schedules. Tasks that
run are ended first: SIGTERM, and SIGKILL 10 seconds later.`,
		Example:           `  runnel kf delete etl`,
		Args:              want(1, "the app's name"),
		ValidArgsFunction: c.completeApps,
	}
	f.register(cmd)
	cmd.RunE = c.Checked(f.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		return f.try(ctx, func() error { return r.Client.Explain(c.deleteAll(ctx, r, args[0], f.async)) })
	})
	return cmd
}

// deleteAll deletes an app and what belongs to it.
func (c *commands) deleteAll(ctx context.Context, r *verb.Remote, name string, async bool) error {
	app, err := getApp(ctx, r, name)
	if err != nil {
		return err
	}
	jobs, err := jobsOfApp(ctx, r, name)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		if err := c.endKfJob(ctx, r, job, async); err != nil {
			return err
		}
	}
	return c.endJob(ctx, r, app, "app", async)
}

// endJob deletes a job, which is an app or a Kf job.
func (c *commands) endJob(ctx context.Context, r *verb.Remote, job *runpb.Job, kind string, async bool) error {
	op, err := r.Client.Jobs.DeleteJob(ctx, &runpb.DeleteJobRequest{Name: job.GetName()})
	if notFound(err) {
		return nil // somebody else was quicker
	}
	if err != nil {
		return err
	}
	return verb.End(ctx, c.Frame, r, op, &runpb.Job{}, async, verb.Deletion(kind, verb.Short(job.GetName())))
}
