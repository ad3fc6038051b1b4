package control

import (
	"context"
	"strings"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"

	"runnel/scheduler/timetable"
	"runnel/store"
)

// turn is one thing that a schedule is to see to.
type turn struct {
	// tick is the one that is due; zero where a run was asked for.
	tick time.Time
	// missed are those before it that nobody has run.
	missed int
	// none says that there is nothing to see to, anew that what has been seen to
	// lies in a future that was none.
	none, anew bool
}

// tendSchedule sees to everything that a schedule is due for. It returns when
// nothing is left, or ctx has ended.
func (c *Control) tendSchedule(ctx context.Context, key string) {
	full := strings.TrimPrefix(key, schedulePrefix)
	for ctx.Err() == nil {
		s, of, err := c.readSchedule(split(full))
		switch {
		case isNotFound(err):
			c.agenda.remove(full)
			c.changes.ring(key)
			return
		case err != nil && c.ctx.Err() != nil:
			return
		case err != nil: // it is due still, whatever keeps it from being read
			c.config.Logger.Error("cannot read a schedule", "schedule", full, "err", err)
			wait(ctx, retryDisk)
			continue
		}
		next := c.turnOf(s, of)
		if next.none {
			c.enter(s, of)
			return
		}
		if err := c.serveTurn(ctx, s, of, next); err != nil && ctx.Err() == nil {
			c.config.Logger.Error("cannot go on with a schedule", "schedule", full, "err", err)
			wait(ctx, retryDisk)
		}
		c.changes.ring(key)
	}
}

// enter puts a schedule into the agenda, or takes one out that is paused.
func (c *Control) enter(s *schedulerpb.Job, of scheduleNote) {
	table := tableOf(s)
	if table == nil || s.GetState() != schedulerpb.Job_ENABLED {
		c.agenda.remove(s.GetName())
		return
	}
	c.agenda.set(s.GetName(), appointment{s.GetSchedule() + " " + s.GetTimeZone(), table, of.Handled})
}

// turnOf is what a schedule is to see to next.
func (c *Control) turnOf(s *schedulerpb.Job, of scheduleNote) turn {
	var d timetable.Decision
	if table := tableOf(s); table != nil && s.GetState() == schedulerpb.Job_ENABLED {
		d = table.Decide(of.Handled, c.config.Now())
	}
	switch {
	case d.Anew:
		return turn{anew: true}
	case of.Asked > of.Answered:
		return turn{}
	}
	return turn{tick: d.Due, missed: d.Missed, none: d.Due.IsZero()}
}

// scheduled is a schedule that somebody sees to: as it was read, and its turn.
type scheduled struct {
	*schedulerpb.Job
	note scheduleNote
	turn turn
}

// settle is the change that notes what has become of a turn: r says that, but
// for the turn itself. It reports false, and changes nothing, if the schedule is
// not the one any more that was read.
func (s scheduled) settle(tx *store.Tx, r ScheduledRun) bool {
	now, of := getSchedule(tx, s.GetName()), getScheduleNote(tx, s.GetName())
	if now == nil || of.UID != s.note.UID || of.Version != s.note.Version || of.Runs != s.note.Runs {
		return false
	}
	r.Scheduled, r.Missed = s.turn.tick, s.turn.missed
	if r.Scheduled.IsZero() {
		of.Answered++
	} else {
		of.Handled = s.turn.tick
	}
	if r.Execution != "" {
		of.Last = r.Execution
	}
	putScheduledRun(tx, &of, r)
	showRun(now, r)
	putSchedule(tx, now, of)
	return true
}
