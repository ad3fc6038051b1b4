package kf

import (
	"context"
	"fmt"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// always is the policy that elsewhere is called Allow. Source: kf create-job.
const always = "Always"

// policyOf is what a value of --concurrency-policy means.
func policyOf(text string) (contract.ConcurrencyPolicy, error) {
	switch text {
	case always:
		return contract.AllowConcurrent, nil
	case string(contract.ReplaceConcurrent), string(contract.ForbidConcurrent):
		return contract.ConcurrencyPolicy(text), nil
	}
	return "", cli.Usagef("--concurrency-policy %s: want Always, Replace or Forbid", text)
}

// policyName is the other way round, of a schedule.
func policyName(s *schedulerpb.Job) string {
	for name, value := range s.GetHttpTarget().GetHeaders() {
		if strings.EqualFold(name, contract.ConcurrencyPolicyHeader) && value != string(contract.AllowConcurrent) {
			return value
		}
	}
	return always
}

// scheduleName is the full name of the schedule of a Kf job: they are called the
// same.
func scheduleName(job *runpb.Job) string { return job.GetName() }

// isSuspended reports whether a schedule runs nothing.
func isSuspended(s *schedulerpb.Job) bool { return s.GetState() != schedulerpb.Job_ENABLED }

// addSchedule gives a Kf job its schedule. Without a time it is suspended, and
// has one that never comes.
func (f *creating) addSchedule(ctx context.Context, r *verb.Remote, job *runpb.Job) error {
	policy, err := policyOf(f.policy)
	if err != nil {
		return err
	}
	cron, state := f.cron, schedulerpb.Job_ENABLED
	if cron == "" {
		cron, state = contract.KfPlaceholderCron, schedulerpb.Job_PAUSED
	}
	s := &schedulerpb.Job{
		Name: scheduleName(job), Schedule: cron, State: state, TimeZone: "Etc/UTC", Description: "job " + kfJobOf(job) + " of app " + appOf(job),
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{
			Uri:        "https://run.googleapis.com/v2/" + job.GetName() + ":run",
			HttpMethod: schedulerpb.HttpMethod_POST,
			Headers:    map[string]string{contract.ConcurrencyPolicyHeader: string(policy)},
		}},
	}
	_, err = r.Client.Schedules.CreateJob(ctx, &schedulerpb.CreateJobRequest{Parent: r.Location(), Job: s})
	switch {
	case verb.Is(err, codes.AlreadyExists):
		return client.NewError("there is a schedule ["+kfJobOf(job)+"] already, which is not this job's: delete it, or give the job another name", err)
	case err != nil:
		return scheduleError(r, f.cron, err)
	}
	return nil
}

// scheduleError says in kf's words that an expression is none.
func scheduleError(r *verb.Remote, cron string, err error) error {
	if !verb.Is(err, codes.InvalidArgument) || cron == "" {
		return err
	}
	return cli.Usagef("Schedule %q is not a valid cron schedule: %v", cron, r.Client.Explain(err))
}

// getSchedule is the schedule of a Kf job; nil if there is none, as of one that
// somebody has deleted by other means.
func getSchedule(ctx context.Context, r *verb.Remote, job *runpb.Job) (*schedulerpb.Job, error) {
	s, err := r.Client.Schedules.GetJob(ctx, &schedulerpb.GetJobRequest{Name: scheduleName(job)})
	if notFound(err) {
		return nil, nil
	}
	return s, err
}

// removeSchedule deletes the schedule of a Kf job, if it has one.
func removeSchedule(ctx context.Context, r *verb.Remote, job *runpb.Job) error {
	_, err := r.Client.Schedules.DeleteJob(ctx, &schedulerpb.DeleteJobRequest{Name: scheduleName(job)})
	if notFound(err) {
		return nil
	}
	return err
}

// scheduleJob builds "runnel kf schedule-job".
func (c *commands) scheduleJob() *cobra.Command {
	return c.scheduling(&cobra.Command{
		Use:   "schedule-job JOB SCHEDULE",
		Short: "Run a job by a schedule",
		Long: `Run a job by a schedule: cron's five fields, in UTC. A job has one schedule; the
one that it has had is replaced.`,
		Example: `  runnel kf schedule-job nightly '0 2 * * *'`,
		Args:    want(2, "the job's name", "the schedule"),
	}, func(ctx context.Context, r *verb.Remote, job *runpb.Job, old *schedulerpb.Job, args []string) error {
		if old == nil {
			f := &creating{commands: c, cron: args[1], policy: always}
			if err := f.addSchedule(ctx, r, job); err != nil {
				return err
			}
			return c.Write(fmt.Appendf(nil, "Job %s scheduled.\n", args[0]))
		}
		if !isSuspended(old) {
			c.Say("WARNING: Scheduling an already scheduled Job. This will overwrite the existing schedule.")
		}
		if err := reschedule(ctx, r, old, args[1]); err != nil {
			return scheduleError(r, args[1], err)
		}
		if isSuspended(old) {
			if _, err := r.Client.Schedules.ResumeJob(ctx, &schedulerpb.ResumeJobRequest{Name: old.GetName()}); err != nil {
				return err
			}
		}
		return c.Write(fmt.Appendf(nil, "Job %s scheduled.\n", args[0]))
	})
}

// deleteJobSchedule builds "runnel kf delete-job-schedule".
func (c *commands) deleteJobSchedule() *cobra.Command {
	return c.scheduling(&cobra.Command{
		Use:   "delete-job-schedule JOB",
		Short: "Run a job by no schedule any more",
		Long: `Suspend a job: it keeps its tasks, and runs when "runnel kf run-job" says so. Tasks
that run go on.`,
		Example: `  runnel kf delete-job-schedule nightly`,
		Args:    want(2, "the job's name"),
	}, func(ctx context.Context, r *verb.Remote, _ *runpb.Job, old *schedulerpb.Job, args []string) error {
		if len(args) > 1 {
			c.Say("WARNING: Ignoring SCHEDULE-GUID arg. Kf only supports a single schedule per Job.")
		}
		if old == nil || isSuspended(old) {
			return client.NewError("Job is already suspended.", nil)
		}
		if _, err := r.Client.Schedules.PauseJob(ctx, &schedulerpb.PauseJobRequest{Name: old.GetName()}); err != nil {
			return err
		}
		if err := reschedule(ctx, r, old, contract.KfPlaceholderCron); err != nil {
			return err
		}
		return c.Write(fmt.Appendf(nil, "Job schedule for %s deleted.\n", args[0]))
	})
}

// reschedule gives a schedule another time.
func reschedule(ctx context.Context, r *verb.Remote, s *schedulerpb.Job, cron string) error {
	_, err := r.Client.Schedules.UpdateJob(ctx, &schedulerpb.UpdateJobRequest{
		Job:        &schedulerpb.Job{Name: s.GetName(), Schedule: cron, TimeZone: "Etc/UTC"},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"schedule", "time_zone"}},
	})
	return err
}

// scheduling completes cmd, which changes the schedule of the Kf job that its
// first argument names.
func (c *commands) scheduling(cmd *cobra.Command, change func(ctx context.Context, r *verb.Remote, job *runpb.Job, old *schedulerpb.Job, args []string) error) *cobra.Command {
	cmd.ValidArgsFunction = c.completeJobs
	cmd.RunE = c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
		job, err := getJob(ctx, r, args[0])
		if err != nil {
			return err
		}
		old, err := getSchedule(ctx, r, job)
		if err != nil {
			return err
		}
		return change(ctx, r, job, old, args)
	})
	return cmd
}
