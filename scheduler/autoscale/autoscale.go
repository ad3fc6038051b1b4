// Package autoscale decides how many instances a revision should have: a pure
// function of its limits, of what has been observed of it, and of the time.
//
// Without limits, what there should be is the greatest of
//
//   - what all requests need that there are at this moment, those that wait too,
//     if each instance has as many as it takes: more than fits is answered at
//     once;
//   - what the requests of the last minute need on average at the target share
//     of the concurrency;
//   - what the CPU time of the last minute needs at the target share of the CPU;
//   - each of these at any moment of the last minute, so that instances come
//     quickly and go slowly.
//
// An instance that takes one request at a time is busy or not, and no share of
// it can be kept free. There the average counts only up to the most requests
// that there were at a time: a client with one request after the other gets one
// instance, one with random arrivals what these need.
//
// Without a request in the last minute nothing else counts: CPU time alone
// neither keeps an instance nor starts one. A revision that has no instance gets
// one by a request that is there now, and by none that was.
package autoscale

import "time"

// Sample is what was observed of a revision at one moment.
type Sample struct {
	At time.Time
	// Instances that are ready, and those that are starting.
	Ready, Starting int
	// Active requests have an instance, Waiting ones have none.
	Active, Waiting int
	// Demand is the growing sum of ingress.Stats; CPU the growing sum of the CPU
	// time that the revision's instances have used while they had requests.
	Demand time.Duration
	CPU    time.Duration
}

// Decider remembers the samples of the last minute of one revision. Its zero
// value has seen nothing. It is for one goroutine.
type Decider struct{ history history }

// Decide takes in a sample and says how many instances there should be. Samples
// come in the order of their times, as often as anything changes and every few
// seconds at least; one that is earlier than the last makes the Decider begin
// anew. What came before the first sample is taken to
// have been silence, but the instances that it finds are kept for a minute.
func (d *Decider) Decide(l Limits, s Sample) int {
	if l.Manual >= 0 {
		return l.Manual
	}
	requests := s.Active + s.Waiting
	if s.Ready+s.Starting == 0 && requests == 0 {
		d.history.forget()
	}
	p := d.history.take(s)
	p.peak = max(p.peak, requests)
	peak, want := d.history.most(s.At)
	now := d.want(l, s, peak)
	p.want = max(p.want, now)
	return l.clamp(max(want, now))
}

// want is how many instances there should be, as it looks now. The most requests
// at a time were peak.
func (d *Decider) want(l Limits, s Sample, peak int) int {
	now := l.full(s.Active + s.Waiting)
	demand, cpu := d.history.means(s)
	if demand <= 0 {
		return now
	}
	byRequests := spread(demand/float64(max(1, l.Concurrency)), l.ConcurrencyTarget)
	if l.Concurrency <= 1 {
		byRequests = min(byRequests, peak)
	}
	byCPU := 0
	if l.CPU > 0 {
		byCPU = spread(cpu*1000/float64(l.CPU), l.CPUTarget)
	}
	return max(now, byRequests, byCPU, 1)
}
