package logs

import (
	"context"
	"time"
)

// group is logs that belong together and come to be known together: those of an
// execution, a service, a worker pool or a revision.
type group interface {
	// span are times that no entry is earlier or later than.
	span() (from, until time.Time)
	// find brings the group up to date and returns the logs that are new, of one
	// task only if task is not negative.
	find(ctx context.Context, l *Logs, task int) ([]*log, error)
	// over reports whether, as of the last find, there will be no more logs.
	over() bool
	// anew is the group before its first find.
	anew() group
}

// byBegin orders groups by when they begin, byEnd the latest end first.
func byBegin(a, b group) int {
	x, _ := a.span()
	y, _ := b.span()
	return x.Compare(y)
}

func byEnd(a, b group) int {
	_, x := a.span()
	_, y := b.span()
	return y.Compare(x)
}

// forever is later than any entry.
var forever = time.Unix(0, lastKey.time)

// slack is more than an entry's time is off from when things happened by the
// records.
const slack = 2 * time.Second

// later is a time that no entry is later than of what has ended by then.
func later(until time.Time) time.Time {
	if until.Before(forever.Add(-slack)) {
		return until.Add(slack)
	}
	return forever
}
