package control

import (
	"context"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/store"
)

// Schedule is a schedule as it stands: a job of Cloud Scheduler's. Its name is
// that of what it runs at, not of what it runs.
func (c *Control) Schedule(_ context.Context, name string) (*schedulerpb.Job, error) {
	n, err := c.parseOne("name", name, atJob)
	if err != nil {
		return nil, err
	}
	s, of, err := c.readSchedule(n)
	if err != nil {
		return nil, err
	}
	return c.showSchedule(s, of), nil
}

// readSchedule reads a schedule as it is stored.
func (c *Control) readSchedule(n name) (s *schedulerpb.Job, of scheduleNote, err error) {
	err = c.view(func(tx *store.Tx) error {
		if s = getSchedule(tx, n.String()); s == nil {
			return noSchedule(n)
		}
		of = getScheduleNote(tx, n.String())
		return nil
	})
	return s, of, err
}

// Schedules is a page of the schedules of a location, the newest first.
func (c *Control) Schedules(_ context.Context, q Query[*schedulerpb.Job]) (items []*schedulerpb.Job, next string, err error) {
	parent, err := c.parse("parent", q.Parent, atLocation)
	if err != nil {
		return nil, "", err
	}
	return page(c, kindSchedules, parent, q, func(f found) (*schedulerpb.Job, error) {
		s := &schedulerpb.Job{}
		if err := proto.Unmarshal(f.value, s); err != nil {
			return nil, noSchedule(split(f.name))
		}
		_, of, err := c.readSchedule(split(f.name))
		if err != nil {
			return nil, err
		}
		return c.showSchedule(s, of), nil
	})
}

// showSchedule is a schedule with what is not stored with it: when it is due
// next.
func (c *Control) showSchedule(s *schedulerpb.Job, of scheduleNote) *schedulerpb.Job {
	s = proto.CloneOf(s)
	table := tableOf(s)
	if table == nil || s.GetState() != schedulerpb.Job_ENABLED {
		return s
	}
	if next := table.Decide(of.Handled, c.config.Now()).Next; !next.IsZero() {
		s.ScheduleTime = timestamppb.New(next)
	}
	return s
}

// ScheduledRuns are what a schedule has done, the newest first: the last 100.
func (c *Control) ScheduledRuns(_ context.Context, name string) (runs []ScheduledRun, err error) {
	n, err := c.parseOne("name", name, atJob)
	if err != nil {
		return nil, err
	}
	err = c.view(func(tx *store.Tx) error {
		if getSchedule(tx, n.String()) == nil {
			return noSchedule(n)
		}
		runs = scheduledRuns(tx, getScheduleNote(tx, n.String()))
		return nil
	})
	return runs, err
}
