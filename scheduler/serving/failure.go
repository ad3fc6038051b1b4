package serving

import (
	"errors"
	"time"
)

const (
	// settled is how long an instance has to have been ready to count as one that
	// lasts.
	settled = 10 * time.Second
	// maxPause is the longest time between two starts that fail. Cloud Run was
	// seen to try about every 17 seconds.
	maxPause = 16 * time.Second
)

// fail draws the consequences of an instance that has ended without being asked,
// or could not begin: those that do not last are not replaced at once.
func (l *loop) fail(i *instance, err error) {
	now := time.Now()
	var broken *StartError
	if errors.As(err, &broken) {
		l.failure, l.broken = broken, true
		l.show() // before anybody is told
		l.dismiss(broken)
	}
	switch {
	case l.lasts(now, i):
		l.failures = 0
		return
	case l.failures > 0 && i.begun().Before(l.failed):
		return // it is of those that failed last
	}
	l.failures, l.failed = l.failures+1, now
	l.resume = now.Add(pause(l.failures))
}

// lasts reports whether the instance that has ended, or another one, has taken
// requests for a while. In a worker pool, where nobody waits for an instance,
// each stands for itself: of ten that compete for one lock nine may end at once,
// time and again.
func (l *loop) lasts(now time.Time, i *instance) bool {
	if lasted(now, i) {
		return true
	}
	if !l.plan.serves() {
		return false
	}
	for _, other := range l.instances {
		if other.phase == ready && lasted(now, other) {
			return true
		}
	}
	return false
}

// begun is when the instance was started, or else when it was asked for.
func (i *instance) begun() time.Time {
	if i.record.Started.IsZero() {
		return i.record.Created
	}
	return i.record.Started
}

func lasted(now time.Time, i *instance) bool {
	return !i.record.Ready.IsZero() && now.Sub(i.record.Ready) >= settled
}

// pause is how long nothing is started after so many failures in a row. Those
// that fail together count as one.
func pause(failures int) time.Duration {
	return min(time.Second<<min(failures-1, 10), maxPause)
}
