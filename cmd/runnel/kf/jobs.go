package kf

import (
	"context"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	kfapi "runnel/api/kf"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// Annotations of a Kf job: what it was given, so that it can be made anew when
// its app is pushed.
const (
	givenCPU    = "kf-job-cpu"
	givenMemory = "kf-job-memory"
	givenDisk   = "kf-job-disk"
)

// creating is the flags of create-job.
type creating struct {
	*commands
	resources
	cron, policy string
}

// createJob builds "runnel kf create-job".
func (c *commands) createJob() *cobra.Command {
	f := &creating{commands: c}
	cmd := &cobra.Command{
		Use:   "create-job APP JOB COMMAND [flags]",
		Short: "Make a job of an app, which runs a command",
		Long: `Make a job, which runs a command with an app's image, variables and resources:
whenever "runnel kf run-job" says so, and by a schedule if it has one. Schedules
are cron's five fields, in UTC.`,
		Example: `  runnel kf create-job etl nightly 'load --full' -s '0 2 * * *' -c Forbid
  runnel kf create-job etl cleanup 'rm -rf /tmp/x' -m 256M`,
		Args:              want(3, "the app's name", "the job's name", "the command"),
		ValidArgsFunction: c.completeApps,
	}
	cmd.Flags().StringVarP(&f.cron, "schedule", "s", "", "`schedule` to run by, such as '0 2 * * *' (default none)")
	cmd.Flags().StringVarP(&f.policy, "concurrency-policy", "c", always, "what becomes of a scheduled run while the one before it goes on: `Always` has both, Replace ends the old one, Forbid leaves the new one out")
	// It fails only for flags that do not exist.
	_ = cmd.RegisterFlagCompletionFunc("concurrency-policy", cobra.FixedCompletions([]string{"Always", "Replace", "Forbid"}, cobra.ShellCompDirectiveNoFileComp))
	f.register(cmd)
	cmd.RunE = c.Checked(f.check, f.do)
	return cmd
}

// check reads the flags.
func (f *creating) check() error {
	if _, err := policyOf(f.policy); err != nil {
		return err
	}
	return f.resources.check()
}

// do makes the job and its schedule, or neither.
func (f *creating) do(ctx context.Context, r *verb.Remote, args []string) error {
	app, err := getApp(ctx, r, args[0])
	if err != nil {
		return err
	}
	name := args[1]
	job := newJob(app, name, args[2], f.resources)
	op, err := r.Client.Jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: r.Location(), JobId: name, Job: job})
	switch {
	case verb.Is(err, codes.AlreadyExists):
		return client.NewError("there is a job or an app ["+name+"] already: delete it, or give the new one another name", err)
	case err != nil:
		return f.inFlags(r, err)
	}
	if job, err = f.follow(ctx, r, op, "Creating job ["+name+"]..."); err == nil {
		err = f.addSchedule(ctx, r, job)
	}
	if err != nil {
		// Whatever has ended ctx must not leave half of it.
		_, _ = r.Client.Jobs.DeleteJob(context.WithoutCancel(ctx), &runpb.DeleteJobRequest{Name: r.Full(jobsOf, name)})
		return err
	}
	f.Say("Job %s created.", name)
	return nil
}

// newJob is a Kf job of an app.
func newJob(app *runpb.Job, name, command string, given resources) *runpb.Job {
	job := &runpb.Job{
		Client:   clientName,
		Labels:   map[string]string{contract.KfAppLabel: appOf(app), contract.KfJobLabel: name},
		Template: proto.CloneOf(app.GetTemplate()),
	}
	for key, value := range map[string]string{givenCPU: given.cpu, givenMemory: given.memory, givenDisk: given.disk} {
		if value != "" {
			job.Annotations = with(job.Annotations, key, value)
		}
	}
	job.Template.Labels = with(job.Template.Labels, contract.KfJobLabel, name)
	setCommand(job, command)
	given.apply(job)
	return job
}

// remakeJobs makes the Kf jobs of an app anew, as the app is now.
func (c *commands) remakeJobs(ctx context.Context, r *verb.Remote, app *runpb.Job) error {
	jobs, err := jobsOfApp(ctx, r, verb.Short(app.GetName()))
	if err != nil {
		return err
	}
	for _, old := range jobs {
		given := old.GetAnnotations()
		command := old.GetTemplate().GetAnnotations()[contract.KfCommand]
		job := newJob(app, kfJobOf(old), command, resources{cpu: given[givenCPU], memory: given[givenMemory], disk: given[givenDisk]})
		job.Name = old.GetName()
		op, err := r.Client.Jobs.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: job})
		if err != nil {
			return fmt.Errorf("job [%s]: %w", kfJobOf(old), r.Client.Explain(err))
		}
		if _, err := c.follow(ctx, r, op, "Updating job ["+kfJobOf(old)+"]..."); err != nil {
			return err
		}
	}
	return nil
}

// getJob is the Kf job of a name.
func getJob(ctx context.Context, r *verb.Remote, name string) (*runpb.Job, error) {
	job, err := r.Client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: r.Full(jobsOf, name)})
	switch {
	case verb.Is(err, codes.NotFound):
		return nil, r.Missing(err, "job", name, "runnel kf jobs")
	case err != nil:
		return nil, err
	case kfJobOf(job) == "":
		return nil, client.NewError("["+name+"] is not a job of an app; see \"runnel kf jobs\"", nil)
	}
	return job, nil
}

// runJob builds "runnel kf run-job".
func (c *commands) runJob() *cobra.Command {
	var limits resources
	cmd := &cobra.Command{
		Use:   "run-job JOB",
		Short: "Run a job once",
		Long: `Run a job once, whatever its schedule. What the flags say holds for this run
only. The command returns as soon as the task is stored.`,
		Example:           `  runnel kf run-job nightly -m 1G`,
		Args:              want(1, "the job's name"),
		ValidArgsFunction: c.completeJobs,
	}
	limits.register(cmd)
	cmd.RunE = c.Checked(limits.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		job, err := getJob(ctx, r, args[0])
		if err != nil {
			return err
		}
		return c.submit(ctx, r, job, kfapi.Task{CPU: limits.cpu, Memory: limits.memory, Disk: limits.disk})
	})
	return cmd
}

// jobHistory builds "runnel kf job-history".
func (c *commands) jobHistory() *cobra.Command {
	p := &printer{commands: c}
	cmd := &cobra.Command{
		Use:               "job-history JOB",
		Short:             "List the tasks of a job",
		Example:           `  runnel kf job-history nightly`,
		Args:              want(1, "the job's name"),
		ValidArgsFunction: c.completeJobs,
	}
	p.register(cmd)
	cmd.RunE = c.Checked(p.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		job, err := getJob(ctx, r, args[0])
		if err != nil {
			return err
		}
		all, err := listExecutions(ctx, r, job.GetName())
		if err != nil {
			return err
		}
		return p.listTasks("job history in Space: "+r.Project, all)
	})
	return cmd
}

// deleteJob builds "runnel kf delete-job".
func (c *commands) deleteJob() *cobra.Command {
	var f retrying
	cmd := &cobra.Command{
		Use:   "delete-job JOB",
		Short: "Delete a job with its tasks and its schedule",
		Long: `Delete a job, its schedule, its tasks and their logs. Tasks that run are ended
first: SIGTERM, and SIGKILL 10 seconds later.`,
		Example:           `  runnel kf delete-job nightly`,
		Args:              want(1, "the job's name"),
		ValidArgsFunction: c.completeJobs,
	}
	f.register(cmd)
	cmd.RunE = c.Checked(f.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		return f.try(ctx, func() error {
			job, err := getJob(ctx, r, args[0])
			if err == nil {
				err = c.endKfJob(ctx, r, job, f.async)
			}
			return r.Client.Explain(err)
		})
	})
	return cmd
}

// endKfJob deletes a Kf job, its schedule first.
func (c *commands) endKfJob(ctx context.Context, r *verb.Remote, job *runpb.Job, async bool) error {
	if err := removeSchedule(ctx, r, job); err != nil {
		return err
	}
	return c.endJob(ctx, r, job, "job", async)
}
