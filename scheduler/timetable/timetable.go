// Package timetable says when a schedule is due: it reads cron's five fields and
// a time zone, and decides from what has been seen to and what time it is. It is
// pure: it reads no clock and keeps nothing. Time zones come from the host or,
// where that has none, from the program itself.
//
// A schedule means what a clock on a wall shows. Where the clock is set forward,
// the times that it leaves out are one tick, at the moment that it is set. Where
// it is set back, the times that come twice are ticks the first time only,
// unless the hours are "*": then they are both times.
package timetable

import (
	"time"
	_ "time/tzdata" // for hosts that have no time zones

	"github.com/netresearch/go-cron"
)

// Timetable is a schedule in a time zone. It does not change, and may be used by
// several goroutines.
type Timetable struct {
	// fields are read as if there were no time zones: of times that are called UTC
	// and are a wall clock's.
	fields *cron.SpecSchedule
	zone   *time.Location
	// hourly says that every hour of the day is as good.
	hourly bool
}

// Next is the first tick after t, in UTC; zero if there is none in years.
func (t *Timetable) Next(after time.Time) time.Time {
	at := after
	for limit := after.AddDate(searchYears, 0, 0); !at.After(limit); {
		s := t.stretchAt(at)
		if tick := t.within(s, after); !tick.IsZero() {
			return tick.UTC()
		}
		if s.end.IsZero() {
			return time.Time{}
		}
		at = s.end
	}
	return time.Time{}
}

// searchYears is how far ahead a tick may lie: from one leap day to the next
// where a century leaves one out.
const searchYears = 9

// stretch is a time through which a wall clock is not set.
type stretch struct {
	// begin is zero where the clock has never been set before, end where it never
	// will be again.
	begin, end time.Time
	// offset is what the clock is ahead of UTC by; before is what it was before.
	offset, before time.Duration
}

// stretchAt is the one that at lies in.
func (t *Timetable) stretchAt(at time.Time) stretch {
	var s stretch
	local := at.In(t.zone)
	s.begin, s.end = local.ZoneBounds()
	// Of years far ahead the bounds are also where one ends, and may be wrong by a
	// day then.
	if !s.end.IsZero() && !s.end.After(at) {
		s.end = at.Add(24 * time.Hour)
	}
	s.offset = offsetOf(local)
	s.before = s.offset
	if !s.begin.IsZero() {
		s.before = offsetOf(s.begin.Add(-time.Nanosecond))
	}
	return s
}

// offsetOf is what t's zone is ahead of UTC by then.
func offsetOf(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// within is the first tick of a stretch behind a moment; zero if there is none.
func (t *Timetable) within(s stretch, after time.Time) time.Time {
	from := after.Add(s.offset) // what the wall clock shows
	if !s.begin.IsZero() && after.Before(s.begin) {
		set := s.begin.Add(s.offset)
		from = set.Add(-time.Nanosecond)
		if left := s.begin.Add(s.before); left.Before(set) {
			from = left.Add(-time.Nanosecond) // those that are left out stand for begin
		}
	}
	if twice := s.begin.Add(s.before); !s.begin.IsZero() && !t.hourly && from.UTC().Before(twice.UTC()) && s.before > s.offset {
		from = twice.Add(-time.Nanosecond)
	}
	shown := t.fields.Next(from.UTC())
	if shown.IsZero() {
		return time.Time{}
	}
	tick := shown.Add(-s.offset)
	if !s.begin.IsZero() && tick.Before(s.begin) {
		tick = s.begin
	}
	if !s.end.IsZero() && !tick.Before(s.end) {
		return time.Time{}
	}
	return tick
}
