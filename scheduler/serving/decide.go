package serving

import (
	"slices"
	"time"

	"runnel/contract"
	"runnel/ingress"
	"runnel/scheduler/autoscale"
)

const (
	// retireTime is how long an instance without requests is kept when no route
	// names its revision.
	retireTime = 30 * time.Second
	// An instance that is not wanted any more is stopped once it has been idle
	// for the idle time divided by patient, and no two within the idle time
	// divided by gradual.
	patient = 15
	gradual = 60
	// busyTick is how often a revision with requests is looked at, and idleTick
	// the most that another one with instances waits for it.
	busyTick  = time.Second
	idleTick  = 5 * time.Second
	leastTick = 10 * time.Millisecond
	// asleep is how long a revision without instances waits for nothing.
	asleep = time.Hour
)

// decide says how many instances there should be. Without a request there are
// none to be added but those that the minimum wants.
func (l *loop) decide(now time.Time, w *wishes, stats *ingress.Stats) int {
	limit := w.limit()
	if limit == 0 {
		return 0
	}
	l.usage.measure(now, l.instances, stats)
	sample := autoscale.Sample{
		At: now, Active: stats.Active, Waiting: stats.Waiting, Demand: stats.Demand, CPU: l.usage.sum,
		Ready: l.count(ready),
	}
	going := l.going()
	sample.Starting = going - sample.Ready
	n := l.decider.Decide(autoscale.Limits{
		Min: w.least(), Max: limit, Manual: w.scale.Manual,
		Concurrency: l.plan.concurrency, CPU: l.plan.cpu,
	}, sample)
	if stats.Active+stats.Waiting == 0 {
		n = max(w.least(), min(n, going))
	}
	if w.checked() {
		n = max(n, 1)
	}
	return n
}

// grow starts the instances that are missing, as far as there is room. The place
// in the queue for room is kept only as long as it is of use, because others
// wait behind it.
func (l *loop) grow(now time.Time, w *wishes, stats *ingress.Stats) {
	queued := false
	for l.going() < l.desired && !now.Before(l.resume) && !l.isReplaced(w, l.going()) {
		if queued = !l.share.TryReserve(); queued {
			break
		}
		reason := l.reason(w, stats)
		i := l.take()
		i.holds, i.reason = l.plan.need, reason
		if i.phase == prepared {
			l.start(i)
		}
	}
	l.mu.Lock()
	l.crowded = queued
	l.mu.Unlock()
	if !queued {
		l.share.Withdraw()
		return
	}
	l.press(now, w, stats)
	l.giveWay(now, w, stats)
}

// reason is why another instance is started.
func (l *loop) reason(w *wishes, stats *ingress.Stats) contract.StartReason {
	switch {
	case w.checked() && l.going() == 0 && stats.Active+stats.Waiting == 0:
		return contract.StartDeployment
	case l.going() < w.least():
		return contract.StartMinimum
	}
	return contract.StartAutoscaling
}

// shrink stops the instances that may not be there, and those that have been
// idle for long enough.
func (l *loop) shrink(now time.Time, w *wishes, stats *ingress.Stats) {
	l.cut(w, stats)
	l.yield(w, stats)
	if w.scale.Manual >= 0 || len(w.waiters) > 0 {
		return
	}
	longest := l.fleet.config.IdleTime
	if !w.routed {
		longest = min(longest, retireTime)
	}
	patience, gap := l.fleet.config.IdleTime/patient, l.fleet.config.IdleTime/gradual
	for _, i := range l.idle(stats) {
		if l.going() <= w.least() {
			return
		}
		idle := now.Sub(i.idleSince)
		surplus := l.going() > max(l.desired, 1) && idle >= patience && now.Sub(l.shrunk) >= gap
		if idle < longest && !surplus {
			continue
		}
		if l.pool.DrainIdle(i.spec.ID) {
			l.shrunk = now
			l.end(i)
		}
	}
}

// cut stops instances until there are no more than there may be: those that have
// not come far first, then idle ones, then the newest.
func (l *loop) cut(w *wishes, stats *ingress.Stats) {
	limit := w.limit()
	if l.going() <= limit {
		return
	}
	var all []*instance
	idle := l.idle(stats)
	for _, i := range l.instances {
		if i.going() {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b *instance) int {
		if a.phase != b.phase {
			return int(a.phase) - int(b.phase)
		}
		if x, y := slices.Contains(idle, a), slices.Contains(idle, b); x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.order - a.order
	})
	for _, i := range all[:len(all)-limit] {
		if limit == 0 {
			l.say(i, "", info, contract.DisabledLine)
		}
		l.end(i)
	}
}

// idle are the instances without a request, those first that have had none for
// longest.
func (l *loop) idle(stats *ingress.Stats) []*instance {
	var idle []*instance
	for _, b := range stats.Backends {
		if i := l.instances[b.ID]; i != nil && i.phase == ready && b.Active == 0 && !b.IdleSince.IsZero() {
			i.idleSince = b.IdleSince
			idle = append(idle, i)
		}
	}
	slices.SortStableFunc(idle, func(a, b *instance) int {
		if c := a.idleSince.Compare(b.idleSince); c != 0 {
			return c
		}
		return b.order - a.order
	})
	return idle
}

// prepare keeps one instance that only has to be started, where there is none
// but a request may come.
func (l *loop) prepare(now time.Time, w *wishes, stats *ingress.Stats) {
	if w.bare && stats.Active+stats.Waiting > 0 {
		l.wish(func(w *wishes) { w.bare = false })
	}
	may := !w.bare && w.limit() > 0 && w.scale.Manual < 0
	kept := w.routed || now.Sub(l.begun) < retireTime // routes come after revisions
	switch waits := l.waits(); {
	case waits != nil && !(may && kept):
		l.fleet.unprepare(l)
		l.end(waits)
	case may && w.routed && waits == nil && l.going() == 0 && !now.Before(l.resume) && l.fleet.prepare(l):
		l.create()
	}
}

// refuse answers the requests that wait where no instance can be started.
func (l *loop) refuse(now time.Time, w *wishes, stats *ingress.Stats) {
	if stats.Waiting == 0 || l.going() > 0 {
		return
	}
	if w.limit() == 0 || l.broken && now.Before(l.resume) {
		l.pool.Reject(ingress.ErrNoInstance)
	}
}

// next is when to look again, even if nothing happens.
func (l *loop) next(now time.Time, stats *ingress.Stats) time.Duration {
	next := asleep
	switch {
	case l.going() < l.desired:
		next = busyTick
	case l.going() == 0 && stats.Waiting == 0:
	case stats.Active+stats.Waiting > 0:
		next = busyTick
	default:
		next = min(max(l.fleet.config.IdleTime/gradual, leastTick), idleTick)
	}
	for _, at := range []time.Time{l.resume, l.begun.Add(retireTime)} {
		if wait := at.Sub(now); wait > 0 {
			next = min(next, wait)
		}
	}
	return next
}

// going is how many instances take requests or are on their way.
func (l *loop) going() (n int) {
	for _, i := range l.instances {
		if i.going() {
			n++
		}
	}
	return n
}

func (l *loop) count(p phase) (n int) {
	for _, i := range l.instances {
		if i.phase == p {
			n++
		}
	}
	return n
}

// waits is the instance that is, or is about to be, prepared; nil if there is
// none.
func (l *loop) waits() *instance {
	for _, i := range l.instances {
		if i.phase == prepared || i.phase == creating && !i.going() && !i.unwanted {
			return i
		}
	}
	return nil
}
