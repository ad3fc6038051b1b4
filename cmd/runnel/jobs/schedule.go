package jobs

import (
	"context"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/jobs/change"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// scheduling is what the flags of "runnel jobs schedule" say.
type scheduling struct {
	*commands
	name, zone, policy, account, description string
	paused                                   bool
	overrides                                *change.Overrides
}

// schedule builds "runnel jobs schedule".
func (c *commands) schedule() *cobra.Command {
	s := &scheduling{commands: c}
	cmd := &cobra.Command{
		Use:   "schedule NAME CRON [flags]",
		Short: "Run a job by the clock",
		Long: `Run a job at the times of a cron expression: minute, hour, day of month, month and
day of week, or @hourly, @daily, @weekly, @monthly, @yearly. "runnel schedules"
looks after what this makes.

What is given of arguments, environment and tasks holds for the executions of
this schedule.`,
		Example: `  runnel jobs schedule etl "0 3 * * *" --time-zone Europe/Paris
  runnel jobs schedule etl "*/5 * * * *" --schedule-name often --concurrency-policy Forbid
  runnel jobs schedule etl @weekly --schedule-name full --args full --tasks 10`,
		Args:              wantNameAndCron,
		ValidArgsFunction: c.completeJobs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&s.name, "schedule-name", "", "`name` of the schedule (default the job's)")
	flags.StringVar(&s.zone, "time-zone", "", "time zone of the expression, such as Europe/Paris (default Etc/UTC)")
	flags.StringVar(&s.policy, "concurrency-policy", "", "what happens where the last execution runs still: Allow both, Forbid the new one, or Replace the old one (default Allow)")
	flags.BoolVar(&s.paused, "paused", false, "run nothing until the schedule is resumed")
	flags.StringVar(&s.account, "service-account", "", "`EMAIL` on whose behalf executions are created (default the administrator's)")
	flags.StringVar(&s.description, "description", "", "what the schedule is for")
	s.overrides = change.RegisterOverrides(flags)
	_ = cmd.RegisterFlagCompletionFunc("concurrency-policy", cobra.FixedCompletions([]string{"Allow", "Forbid", "Replace"}, cobra.ShellCompDirectiveNoFileComp))
	check := func() error {
		if _, err := contract.ParseConcurrencyPolicy(s.policy); err != nil {
			return cli.Usagef("--concurrency-policy: %v", err)
		}
		_, err := s.overrides.Request()
		return err
	}
	cmd.RunE = c.Checked(check, s.create)
	return cmd
}

// wantNameAndCron is the Args of "runnel jobs schedule".
func wantNameAndCron(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return cli.Usagef("the job's name is missing")
	case len(args) == 1:
		return cli.Usagef("the cron expression is missing: want one such as \"0 3 * * *\"")
	case len(args) > 2:
		return cli.Usagef("unexpected argument %q: write the cron expression in quotes", args[2])
	}
	return nil
}

// create creates the schedule of a job that is there.
func (s *scheduling) create(ctx context.Context, r *verb.Remote, args []string) error {
	job, err := getJob(ctx, r, args[0])
	if err != nil {
		return err
	}
	body, err := s.body()
	if err != nil {
		return err
	}
	name := verb.Short(job.GetName())
	if s.name != "" {
		name = s.name
	}
	parent := job.GetName()[:len(job.GetName())-len("/jobs/"+verb.Short(job.GetName()))]
	want := &schedulerpb.Job{
		Name: parent + "/jobs/" + name, Schedule: args[1], TimeZone: s.zone, Description: s.description,
		Target: s.target(job.GetName(), body),
	}
	if s.paused {
		want.State = schedulerpb.Job_PAUSED
	}
	got, err := r.Client.Schedules.CreateJob(ctx, &schedulerpb.CreateJobRequest{Parent: parent, Job: want})
	switch {
	case verb.Is(err, codes.AlreadyExists):
		return client.NewError(fmt.Sprintf("there is a schedule [%s] already; give another name with --schedule-name, or change that one: runnel schedules update %[1]s", name), err)
	case err != nil:
		return err
	}
	s.tell(got, verb.Short(job.GetName()))
	return nil
}

// tell says what has been created.
func (s *scheduling) tell(got *schedulerpb.Job, job string) {
	name := verb.Short(got.GetName())
	if got.GetState() == schedulerpb.Job_PAUSED {
		s.Say("Schedule [%s] of job [%s] has been created, paused.\n\nTo have it run, use:\nrunnel schedules resume %[1]s", name, job)
		return
	}
	s.Say("Schedule [%s] of job [%s] has been created. It is due next at %s.\n\nTo see how it is doing, use:\nrunnel schedules describe %[1]s",
		name, job, got.GetScheduleTime().AsTime().Format("2006-01-02 15:04:05 UTC"))
}

// body is what a run is asked for with; empty if nothing is special.
func (s *scheduling) body() ([]byte, error) {
	overrides, err := s.overrides.Request()
	if err != nil || overrides == nil {
		return nil, err
	}
	body, err := protojson.Marshal(&runpb.RunJobRequest{Overrides: overrides})
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return body, nil
}

// target is the request that runs the job with the full name, as Cloud Scheduler
// would send it to Cloud Run.
func (s *scheduling) target(job string, body []byte) *schedulerpb.Job_HttpTarget {
	t := &schedulerpb.HttpTarget{
		Uri: "https://run.googleapis.com/v2/" + job + ":run", HttpMethod: schedulerpb.HttpMethod_POST, Body: body, Headers: map[string]string{},
	}
	if len(body) > 0 {
		t.Headers["Content-Type"] = "application/json"
	}
	if p, _ := contract.ParseConcurrencyPolicy(s.policy); p != contract.AllowConcurrent {
		t.Headers[contract.ConcurrencyPolicyHeader] = string(p)
	}
	if s.account != "" {
		t.AuthorizationHeader = &schedulerpb.HttpTarget_OauthToken{OauthToken: &schedulerpb.OAuthToken{ServiceAccountEmail: s.account}}
	}
	return &schedulerpb.Job_HttpTarget{HttpTarget: t}
}
