package control

import (
	"context"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/store"
)

// PauseSchedule has a schedule run nothing until it is resumed.
func (c *Control) PauseSchedule(ctx context.Context, name string) (*schedulerpb.Job, error) {
	n, err := c.parseOne("name", name, atJob)
	if err != nil {
		return nil, err
	}
	return c.alterSchedule(ctx, n, func(s *schedulerpb.Job, _ *scheduleNote) error {
		if s.GetState() == schedulerpb.Job_PAUSED {
			return wrongState("Job.state must be ENABLED for PauseJob: schedule '%s' is paused already.", n.id())
		}
		s.State = schedulerpb.Job_PAUSED
		return nil
	})
}

// ResumeSchedule has a paused schedule be due again, from now on.
func (c *Control) ResumeSchedule(ctx context.Context, name string) (*schedulerpb.Job, error) {
	n, err := c.parseOne("name", name, atJob)
	if err != nil {
		return nil, err
	}
	return c.alterSchedule(ctx, n, func(s *schedulerpb.Job, of *scheduleNote) error {
		now := c.config.Now()
		switch table := tableOf(s); {
		case s.GetState() != schedulerpb.Job_PAUSED:
			return wrongState("Job.state must be PAUSED for ResumeJob: schedule '%s' is not.", n.id())
		case table == nil || table.Next(now).IsZero():
			return wrongState("Schedule '%s' cannot be resumed: %q never comes. Update it first.", n.id(), s.GetSchedule())
		}
		s.State, of.Handled = schedulerpb.Job_ENABLED, now
		return nil
	})
}

// DeleteSchedule removes a schedule with what is known of its runs. Executions
// that it has made stay, and run on.
func (c *Control) DeleteSchedule(ctx context.Context, name string) error {
	n, err := c.parseOne("name", name, atJob)
	if err != nil {
		return err
	}
	return c.changeSchedule(ctx, n, func(tx *store.Tx) error {
		if getSchedule(tx, n.String()) == nil {
			return noSchedule(n)
		}
		removeSchedule(tx, n.String(), getScheduleNote(tx, n.String()))
		return nil
	})
}

// maxAsked is how many runs may be asked for that have not been seen to.
const maxAsked = 100

// RunSchedule has a schedule run its job now, paused or not, by the rule for
// runs that overlap. It returns when that has been seen to; the schedule's
// status says what came of it.
func (c *Control) RunSchedule(ctx context.Context, name string) (*schedulerpb.Job, error) {
	n, err := c.parseOne("name", name, atJob)
	if err != nil {
		return nil, err
	}
	var turn int
	err = c.update(ctx, func(tx *store.Tx) error {
		s, of := getSchedule(tx, n.String()), getScheduleNote(tx, n.String())
		switch {
		case s == nil:
			return noSchedule(n)
		case of.Asked-of.Answered >= maxAsked:
			return status.Errorf(codes.ResourceExhausted, "%d runs of schedule '%s' have been asked for that are to come yet, which is the most: try again later.", maxAsked, n.id())
		}
		of.Asked++
		turn = of.Asked
		putSchedule(tx, s, of)
		return nil
	}, func(error) { c.attention.again(scheduleKey(n.String()), c.tendSchedule) })
	if err != nil {
		return nil, err
	}
	return c.awaitRun(ctx, n, turn)
}

// awaitRun waits until a run that was asked for has been seen to.
func (c *Control) awaitRun(ctx context.Context, n name, turn int) (*schedulerpb.Job, error) {
	for {
		changed, leave := c.changes.listen(scheduleKey(n.String()))
		s, of, err := c.readSchedule(n)
		if err != nil || of.Answered >= turn {
			leave()
			if err != nil {
				return nil, err
			}
			return c.showSchedule(s, of), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			err = contextError(ctx)
		case <-c.ctx.Done():
			err = unavailable(errClosed)
		}
		leave()
		if err != nil {
			return nil, err
		}
	}
}
