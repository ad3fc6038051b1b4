package schedules

import (
	"context"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/api/schedules"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
)

// pause builds "runnel schedules pause".
func (c *commands) pause() *cobra.Command {
	return &cobra.Command{
		Use:               "pause NAME",
		Short:             "Have a schedule run nothing until it is resumed",
		Example:           `  runnel schedules pause etl`,
		Args:              verb.WantOne("the schedule's name"),
		ValidArgsFunction: c.complete,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			s, err := r.Client.Schedules.PauseJob(ctx, &schedulerpb.PauseJobRequest{Name: r.Full(schedulesOf, args[0])})
			if err != nil {
				return missing(r, err, args[0])
			}
			c.Say("Paused schedule [%s].", verb.Short(s.GetName()))
			return c.result(ctx, r, s)
		}),
	}
}

// resume builds "runnel schedules resume".
func (c *commands) resume() *cobra.Command {
	return &cobra.Command{
		Use:               "resume NAME",
		Short:             "Have a paused schedule run its job again",
		Long:              `Have a paused schedule run its job again. Ticks that came meanwhile are not run.`,
		Example:           `  runnel schedules resume etl`,
		Args:              verb.WantOne("the schedule's name"),
		ValidArgsFunction: c.complete,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			s, err := r.Client.Schedules.ResumeJob(ctx, &schedulerpb.ResumeJobRequest{Name: r.Full(schedulesOf, args[0])})
			if err != nil {
				return missing(r, err, args[0])
			}
			c.Say("Resumed schedule [%s]: it is due next at %s.", verb.Short(s.GetName()), moment(s.GetScheduleTime(), s.GetTimeZone()))
			return c.result(ctx, r, s)
		}),
	}
}

// run builds "runnel schedules run".
func (c *commands) run() *cobra.Command {
	return &cobra.Command{
		Use:   "run NAME",
		Short: "Have a schedule run its job now",
		Long: `Have a schedule run its job now, paused or not, and return when the execution has
been created. Where the last one runs still, the schedule's policy for that says
what happens, and the exit status is 1 if there is no execution.`,
		Example:           `  runnel schedules run etl`,
		Args:              verb.WantOne("the schedule's name"),
		ValidArgsFunction: c.complete,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			s, err := r.Client.Schedules.RunJob(ctx, &schedulerpb.RunJobRequest{Name: r.Full(schedulesOf, args[0])})
			if err != nil {
				return missing(r, err, args[0])
			}
			name := verb.Short(s.GetName())
			if st := s.GetStatus(); codes.Code(st.GetCode()) != codes.OK {
				c.Say("Schedule [%s] has run nothing: %s", name, st.GetMessage())
				return cli.ErrFailed
			}
			runs, err := runsOf(ctx, r, s.GetName())
			if err != nil {
				return err
			}
			if execution := lastByHand(runs); execution != "" {
				c.Say("Schedule [%s] has created execution [%s].\n\nView details about this execution by running:\nrunnel jobs executions describe %[2]s", name, execution)
			}
			return c.result(ctx, r, s)
		}),
	}
}

// lastByHand is the execution that was asked for last.
func lastByHand(runs []schedules.Run) string {
	for _, run := range runs {
		if run.ScheduleTime.IsZero() {
			return run.Execution
		}
	}
	return ""
}

// delete builds "runnel schedules delete".
func (c *commands) delete() *cobra.Command {
	return &cobra.Command{
		Use:               "delete NAME",
		Short:             "Delete a schedule",
		Long:              `Delete a schedule with its history. The job stays, and so do its executions.`,
		Example:           `  runnel schedules delete etl --quiet`,
		Args:              verb.WantOne("the schedule's name"),
		ValidArgsFunction: c.complete,
		RunE: c.Connected(func(ctx context.Context, r *verb.Remote, args []string) error {
			s, err := get(ctx, r, args[0])
			if err != nil {
				return err
			}
			name := verb.Short(s.GetName())
			if err := c.Confirm(ctx, "Schedule ["+name+"] will be deleted."); err != nil {
				return err
			}
			if _, err := r.Client.Schedules.DeleteJob(ctx, &schedulerpb.DeleteJobRequest{Name: s.GetName()}); err != nil {
				return missing(r, err, name)
			}
			c.Say("Deleted schedule [%s].", name)
			return nil
		}),
	}
}

// result writes a schedule where --format asks for it.
func (c *commands) result(ctx context.Context, r *verb.Remote, s *schedulerpb.Job) error {
	if c.Nothing() {
		return nil
	}
	return c.show(ctx, r, s)
}
