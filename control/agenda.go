package control

import (
	"context"
	"sync"
	"time"

	"runnel/scheduler/timetable"
)

// agenda knows when each schedule that is enabled is due. Safe for concurrent
// use.
type agenda struct {
	mu  sync.Mutex
	all map[string]appointment // by full name; guarded by mu
	// changed holds something if all has changed since watchClock looked.
	changed chan struct{}
}

// appointment is when a schedule is due, and what has been seen to.
type appointment struct {
	// text is what table was read from.
	text    string
	table   *timetable.Timetable
	handled time.Time
}

// same reports whether two say the same.
func (e appointment) same(other appointment) bool {
	return e.text == other.text && e.handled.Equal(other.handled)
}

func newAgenda() *agenda {
	return &agenda{all: make(map[string]appointment), changed: make(chan struct{}, 1)}
}

// set enters a schedule, in place of what it said before.
func (a *agenda) set(name string, entry appointment) {
	a.mu.Lock()
	old, known := a.all[name]
	a.all[name] = entry
	a.mu.Unlock()
	if !known || !old.same(entry) {
		a.wake()
	}
}

// remove takes a schedule out.
func (a *agenda) remove(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, name)
}

// wake has watchClock look at the time.
func (a *agenda) wake() {
	select {
	case a.changed <- struct{}{}:
	default: // it is going to look already
	}
}

// look tells which schedules something is to be done for at now, and when the
// first of all is due next: zero if none ever is.
func (a *agenda) look(now time.Time) (due []string, next time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, entry := range a.all {
		d := entry.table.Decide(entry.handled, now)
		if !d.Due.IsZero() || d.Anew {
			due = append(due, name)
		}
		if !d.Next.IsZero() && (next.IsZero() || d.Next.Before(next)) {
			next = d.Next
		}
	}
	return due, next
}

// maxSleep is how long the clock on the wall goes unwatched, which may be set.
const maxSleep = time.Minute

// watchClock has every schedule seen to that is due, until ctx ends.
func (c *Control) watchClock(ctx context.Context) {
	for ctx.Err() == nil {
		now := c.config.Now()
		due, next := c.agenda.look(now)
		for _, name := range due {
			c.attention.again(scheduleKey(name), c.tendSchedule)
		}
		sleep := maxSleep
		if !next.IsZero() {
			sleep = min(sleep, next.Sub(now))
		}
		timer := time.NewTimer(sleep)
		select {
		case <-timer.C:
		case <-c.agenda.changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// scheduleKey is what attention and bells know a schedule by: a job may have the
// same name.
func scheduleKey(name string) string { return schedulePrefix + name }

const schedulePrefix = "schedule "
