package serving

import (
	"time"

	"runnel/ingress"
)

const (
	// spareTime is how long an instance must have been idle before another
	// revision may have its room.
	spareTime = time.Second
	// pressTime is how far two requests for room are apart at least.
	pressTime = 100 * time.Millisecond
	// deferTime is how far two turns are apart at least that are left to others.
	deferTime = time.Second
)

// giveWay leaves its turn to others where nobody waits for the room: a minimum
// that the host has no room for must not keep it from everybody else.
func (l *loop) giveWay(now time.Time, w *wishes, stats *ingress.Stats) {
	if stats.Waiting > 0 || w.checked() || now.Sub(l.deferred) < deferTime {
		return
	}
	l.deferred = now
	l.share.Defer()
}

// press has another revision give up the instance that has been idle for longest,
// so that requests which wait for room get it. What a minimum keeps is left; but
// of a worker pool one revision takes the place of another.
func (l *loop) press(now time.Time, w *wishes, stats *ingress.Stats) {
	if now.Sub(l.pressed) < pressTime || stats.Waiting == 0 && !w.checked() && !l.deploys(w) {
		return
	}
	l.pressed = now
	others := l.others()
	var from *loop
	longest := now.Add(-spareTime)
	for _, other := range others {
		if since, ok := other.spare(); ok && since.Before(longest) {
			from, longest = other, since
		}
	}
	if from == nil && l.deploys(w) {
		from = l.predecessor(others)
	}
	if from != nil {
		from.wish(func(w *wishes) { w.yields = true })
	}
}

// others are the loops of all other revisions.
func (l *loop) others() []*loop {
	l.fleet.mu.Lock()
	defer l.fleet.mu.Unlock()
	others := make([]*loop, 0, len(l.fleet.revisions))
	for _, other := range l.fleet.revisions {
		if other != l {
			others = append(others, other)
		}
	}
	return others
}

// spare is since when the instance has been idle that a revision would give up.
func (l *loop) spare() (since time.Time, ok bool) {
	l.mu.Lock()
	spare := l.shown.Ready > l.wishes.least()
	l.mu.Unlock()
	if !spare {
		return since, false
	}
	for _, b := range l.pool.Stats().Backends {
		if b.Active == 0 && !b.IdleSince.IsZero() && (!ok || b.IdleSince.Before(since)) {
			since, ok = b.IdleSince, true
		}
	}
	return since, ok
}

// yield stops the instance that has been idle for longest, where another revision
// has asked for its room.
func (l *loop) yield(w *wishes, stats *ingress.Stats) {
	if !w.yields {
		return
	}
	l.wish(func(w *wishes) { w.yields = false })
	if !l.plan.serves() {
		l.makeWay(w)
		return
	}
	for _, i := range l.idle(stats) {
		if l.going() > w.least() && l.pool.DrainIdle(i.spec.ID) {
			l.end(i)
			return
		}
	}
}
