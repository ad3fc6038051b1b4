package serving

import (
	"time"

	"runnel/contract"
)

// startTimes are how long the last instances of a service or a worker pool took
// to start.
type startTimes struct {
	last [16]time.Duration
	n    int
}

func (s *startTimes) add(d time.Duration) {
	s.last[s.n%len(s.last)] = d
	s.n++
}

// patience is how long a request may wait.
func (s *startTimes) patience() time.Duration {
	n := min(s.n, len(s.last))
	if n == 0 {
		return contract.Patience(0)
	}
	var sum time.Duration
	for _, d := range s.last[:n] {
		sum += d
	}
	return contract.Patience(sum / time.Duration(n))
}

// hasStarted counts a start of one of the instances of a service or worker pool.
func (f *Fleet) hasStarted(owner string, took time.Duration) {
	f.mu.Lock()
	starts := f.starts[owner]
	starts.add(took)
	patience := starts.patience()
	var of []*loop
	for _, l := range f.revisions {
		if l.owner() == owner {
			of = append(of, l)
		}
	}
	f.mu.Unlock()
	for _, l := range of {
		l.pool.SetPatience(patience)
	}
}
