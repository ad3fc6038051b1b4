package serving

import (
	"time"

	"runnel/ingress"
)

// measureTime is how far measurements of the CPU are apart at least.
const measureTime = time.Second

// usage is the CPU time that a revision's instances have used while they had
// requests.
type usage struct {
	sum  time.Duration
	last time.Time
}

// measure reads what the instances have used, if that was not done just now. One
// that cannot tell is ending, or counts again from the next time on.
func (u *usage) measure(now time.Time, instances map[string]*instance, stats *ingress.Stats) {
	if now.Sub(u.last) < measureTime {
		return
	}
	u.last = now
	for _, b := range stats.Backends {
		i := instances[b.ID]
		if i == nil {
			continue
		}
		was := i.busy
		i.busy = b.Active > 0
		if !was && !i.busy {
			continue
		}
		used, err := i.runtime.Usage()
		if err != nil {
			i.busy = false
			continue
		}
		if was {
			u.sum += max(0, used.CPU-i.cpu)
		}
		i.cpu = used.CPU
	}
}
