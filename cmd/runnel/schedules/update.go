package schedules

import (
	"context"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// update builds "runnel schedules update".
func (c *commands) update() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update NAME [flags]",
		Short: "Change when a schedule is due",
		Long: `Change when a schedule is due, and what happens where the last execution runs
still. What no flag names stays as it is. The arguments, variables and tasks that
its executions get are given when it is made: to change those, delete it and have
"runnel jobs schedule" make it anew.`,
		Example:           `  runnel schedules update etl --schedule "*/15 * * * *" --concurrency-policy Forbid`,
		Args:              verb.WantOne("the schedule's name"),
		ValidArgsFunction: c.complete,
	}
	change := settings{set: cmd.Flags()}
	change.set.StringVar(&change.expression, "schedule", "", "cron `EXPRESSION`: minute, hour, day of month, month, day of week; or @hourly and the like")
	change.set.StringVar(&change.zone, "time-zone", "", "time zone of the expression, such as Europe/Paris")
	change.set.StringVar(&change.policy, "concurrency-policy", "", "what happens where the last execution runs still: Allow, Forbid or Replace")
	_ = cmd.RegisterFlagCompletionFunc("concurrency-policy", cobra.FixedCompletions([]string{"Allow", "Forbid", "Replace"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = c.Checked(change.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		s, err := get(ctx, r, args[0])
		if err != nil {
			return err
		}
		s, err = r.Client.Schedules.UpdateJob(ctx, change.request(s))
		if err != nil {
			return missing(r, err, args[0])
		}
		c.Say("Updated schedule [%s].", verb.Short(s.GetName()))
		return c.result(ctx, r, s)
	})
	return cmd
}

// settings are what the flags of "runnel schedules update" change.
type settings struct {
	set                      *pflag.FlagSet
	expression, zone, policy string
}

// check says what is wrong with the flags.
func (c *settings) check() error {
	if !c.set.Changed("schedule") && !c.set.Changed("time-zone") && !c.set.Changed("concurrency-policy") {
		return cli.Usagef("nothing to change: name at least one setting")
	}
	if _, err := contract.ParseConcurrencyPolicy(c.policy); err != nil {
		return cli.Usagef("--concurrency-policy: %v", err)
	}
	return nil
}

// request asks for the change of a schedule, which is the caller's own.
func (c *settings) request(s *schedulerpb.Job) *schedulerpb.UpdateJobRequest {
	mask := &fieldmaskpb.FieldMask{}
	if c.set.Changed("schedule") {
		s.Schedule, mask.Paths = c.expression, append(mask.Paths, "schedule")
	}
	if c.set.Changed("time-zone") {
		s.TimeZone, mask.Paths = c.zone, append(mask.Paths, "time_zone")
	}
	if target := s.GetHttpTarget(); c.set.Changed("concurrency-policy") && target != nil {
		target.Headers = withPolicy(target.GetHeaders(), c.policy)
		mask.Paths = append(mask.Paths, "http_target.headers")
	}
	return &schedulerpb.UpdateJobRequest{Job: s, UpdateMask: mask}
}
