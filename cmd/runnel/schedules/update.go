package schedules

import (
	"context"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// update builds "runnel schedules update".
func (c *commands) update() *cobra.Command {
	var expression, zone, policy string
	cmd := &cobra.Command{
		Use:   "update NAME [flags]",
		Short: "Change when a schedule is due",
		Long: `Change when a schedule is due, and what happens where the last execution runs
still. What no flag names stays as it is.`,
		Example:           `  runnel schedules update etl --schedule "*/15 * * * *" --concurrency-policy Forbid`,
		Args:              verb.WantOne("the schedule's name"),
		ValidArgsFunction: c.complete,
	}
	check := func() error {
		if !cmd.Flags().Changed("schedule") && !cmd.Flags().Changed("time-zone") && !cmd.Flags().Changed("concurrency-policy") {
			return cli.Usagef("nothing to change: name at least one setting")
		}
		_, err := contract.ParseConcurrencyPolicy(policy)
		if err != nil {
			return cli.Usagef("--concurrency-policy: %v", err)
		}
		return nil
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		s, err := get(ctx, r, args[0])
		if err != nil {
			return err
		}
		mask := &fieldmaskpb.FieldMask{}
		if cmd.Flags().Changed("schedule") {
			s.Schedule, mask.Paths = expression, append(mask.Paths, "schedule")
		}
		if cmd.Flags().Changed("time-zone") {
			s.TimeZone, mask.Paths = zone, append(mask.Paths, "time_zone")
		}
		if target := s.GetHttpTarget(); cmd.Flags().Changed("concurrency-policy") && target != nil {
			target.Headers = withPolicy(target.GetHeaders(), policy)
			mask.Paths = append(mask.Paths, "http_target.headers")
		}
		s, err = r.Client.Schedules.UpdateJob(ctx, &schedulerpb.UpdateJobRequest{Job: s, UpdateMask: mask})
		if err != nil {
			return missing(r, err, args[0])
		}
		c.Say("Updated schedule [%s].", verb.Short(s.GetName()))
		return c.result(ctx, r, s)
	})
	cmd.Flags().StringVar(&expression, "schedule", "", "cron `EXPRESSION`: minute, hour, day of month, month, day of week; or @hourly and the like")
	cmd.Flags().StringVar(&zone, "time-zone", "", "time zone of the expression, such as Europe/Paris")
	cmd.Flags().StringVar(&policy, "concurrency-policy", "", "what happens where the last execution runs still: Allow, Forbid or Replace")
	_ = cmd.RegisterFlagCompletionFunc("concurrency-policy", cobra.FixedCompletions([]string{"Allow", "Forbid", "Replace"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
