package autoscale

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// epoch is when every trace begins.
var epoch = time.Unix(1_700_000_000, 0)

// usual are limits that bound nothing.
func usual(concurrency int) Limits {
	return Limits{Max: 1000, Manual: -1, Concurrency: concurrency, CPU: 1000}
}

// revision is a revision that does what its Decider says, with instances that
// take startTime to start and go at once.
type revision struct {
	limits  Limits
	decider Decider
	// load is how many requests there are to be at a time, used what CPU each of
	// the instances that have some uses, in thousandths.
	load func(at time.Duration) int
	used func(at time.Duration) int

	sample   Sample
	starting []time.Time // when each is ready
	waits    int         // samples in which requests waited
}

const (
	startTime = 2 * time.Second
	tick      = 100 * time.Millisecond
)

// after is the sample of a moment later.
func (r *revision) after(at time.Duration) Sample {
	s := &r.sample
	if at > 0 {
		s.Demand += time.Duration(s.Active+s.Waiting) * tick
		if r.used != nil {
			s.CPU += time.Duration(r.limits.full(s.Active)*r.used(at)) * tick / 1000
		}
	}
	s.At = epoch.Add(at)
	for len(r.starting) > 0 && !r.starting[0].After(s.At) {
		r.starting = r.starting[1:]
		s.Ready++
	}
	s.Starting = len(r.starting)
	requests := r.load(at)
	s.Active = min(requests, s.Ready*r.limits.Concurrency)
	s.Waiting = requests - s.Active
	if s.Waiting > 0 {
		r.waits++
	}
	return *s
}

// follow starts and stops instances until there are n.
func (r *revision) follow(n int) {
	s := &r.sample
	for n > s.Ready+len(r.starting) {
		r.starting = append(r.starting, s.At.Add(startTime))
	}
	for n < s.Ready+len(r.starting) && len(r.starting) > 0 {
		r.starting = r.starting[:len(r.starting)-1]
	}
	s.Ready = min(s.Ready, n)
	s.Starting = len(r.starting)
}

// trace runs a revision and writes down from when on how many instances there
// were to be: "0s:0 10s:2".
func (r *revision) trace(length time.Duration) string {
	var b strings.Builder
	last := -1
	for at := time.Duration(0); at <= length; at += tick {
		n := r.decider.Decide(r.limits, r.after(at))
		if n != last {
			fmt.Fprintf(&b, " %v:%d", at.Truncate(time.Second), n)
		}
		last = n
		r.follow(n)
	}
	return strings.TrimSpace(b.String())
}

// between is a load that is n from a time until another one.
func between(from, until time.Duration, n int) func(time.Duration) int {
	return func(at time.Duration) int {
		if at >= from && at < until {
			return n
		}
		return 0
	}
}

// always is a load that never changes.
func always(n int) func(time.Duration) int { return func(time.Duration) int { return n } }

// random is a load of requests that come by chance and take a second each: so
// many at a time on average.
func random(mean float64) func(time.Duration) int {
	r := rand.New(rand.NewPCG(1, 2))
	var ends []time.Duration
	next := time.Duration(r.ExpFloat64() / mean * float64(time.Second))
	return func(at time.Duration) int {
		for next <= at {
			ends = append(ends, next+time.Second)
			next += time.Duration(r.ExpFloat64() / mean * float64(time.Second))
		}
		for len(ends) > 0 && ends[0] <= at {
			ends = ends[1:]
		}
		return len(ends)
	}
}
