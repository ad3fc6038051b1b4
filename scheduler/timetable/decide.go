package timetable

import "time"

const (
	// CatchUp is how long ago a tick may have been that is still run, after the
	// host was down.
	CatchUp = 7 * 24 * time.Hour
	// SetBack is how far a clock may be set back without the ticks that it comes
	// to again being run again. One set back further was wrong before.
	SetBack = 3 * time.Hour
	// MaxMissed is how many ticks are counted that were missed.
	MaxMissed = 100
)

// Decision is what a timetable asks for at a moment.
type Decision struct {
	// Due is the tick to run now; zero if there is none. Of several that have
	// passed it is the newest.
	Due time.Time
	// Missed are those before it that nobody has run, nor will; MaxMissed means
	// that many or more.
	Missed int
	// Next is the first tick to come; zero if there is none.
	Next time.Time
	// Anew says that what has been seen to lies in a future that was none: the
	// caller is to note the present time in its place.
	Anew bool
}

// Decide says what is to be done at now, where all ticks up to handled have been
// seen to.
func (t *Timetable) Decide(handled, now time.Time) Decision {
	if handled.After(now.Add(SetBack)) {
		return Decision{Next: t.Next(now), Anew: true}
	}
	if !handled.Before(now) {
		return Decision{Next: t.Next(handled)}
	}
	d := Decision{Next: t.Next(now)}
	after := handled
	if earliest := now.Add(-CatchUp); after.Before(earliest) {
		after = earliest
	}
	d.Due = t.newest(after, now)
	for tick := after; d.Missed < MaxMissed && !d.Due.IsZero(); d.Missed++ {
		if tick = t.Next(tick); !tick.Before(d.Due) {
			break
		}
	}
	return d
}

// newest is the last tick behind after that is not behind now; zero if there is
// none.
func (t *Timetable) newest(after, now time.Time) (last time.Time) {
	// It is looked for near now first: there may be thousands.
	for back := time.Minute; ; back *= 2 {
		from := now.Add(-back)
		if from.Before(after) {
			from = after
		}
		for tick := t.Next(from); !tick.IsZero() && !tick.After(now); tick = t.Next(tick) {
			last = tick
		}
		if !last.IsZero() || from.Equal(after) {
			return last
		}
	}
}
