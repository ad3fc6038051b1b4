package autoscale

import (
	"testing"
	"time"
)

// contract: SC-2
func TestManualIsExact(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 0} {
		r := revision{limits: usual(1), load: always(50)}
		r.limits.Manual, r.limits.Min, r.limits.Max = n, 5, 10
		for at := time.Duration(0); at < 2*time.Minute; at += tick {
			if got := r.decider.Decide(r.limits, r.after(at)); got != n {
				t.Fatalf("%v: %d instances, want %d", at, got, n)
			}
		}
	}
}

// contract: SC-1
// contract: SC-11
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		min, max int
		load     func(time.Duration) int
		want     string
	}{
		{"never below the minimum", 2, 100, always(0), "0s:2"},
		{"up from the minimum and back to it", 2, 100, between(10*time.Second, 11*time.Second, 30), "0s:2 10s:3 1m11s:2"},
		{"never above the maximum", 0, 4, always(1000), "0s:4"},
	} {
		r := revision{limits: usual(10), load: c.load}
		r.limits.Min, r.limits.Max = c.min, c.max
		if got := r.trace(3 * time.Minute); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// contract: SC-3
func TestSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		load, target float64
		want         int
	}{
		{0, 0, 0}, {-1, 0, 0}, {1, -1, 0},
		// Few instances are used more than many.
		{0.01, 0, 1}, {0.9, 0, 1}, {0.91, 0, 2}, {1.35, 0, 2}, {1.36, 0, 3}, {1.9, 0, 3}, {1.91, 0, 4},
		{6, 0, 10}, {60, 0, 100}, {60.1, 0, 101}, {600, 0, 1000},
		{8, 0.8, 10}, {0.9, 0.8, 1}, {0.91, 0.8, 2},
		{0.15, 0.1, 1}, {0.16, 0.1, 2}, {2, 0.1, 20},
		{0.95, 0.95, 1}, {0.96, 0.95, 2}, {9.5, 0.95, 10},
	} {
		if got := spread(c.load, c.target); got != c.want {
			t.Errorf("a load of %v at %v: %d instances, want %d", c.load, c.target, got, c.want)
		}
	}
	for _, target := range []float64{0.1, 0.25, 0.6, 0.85, 0.95} {
		for load, last := 0.0, 0; load < 50; load += 0.01 {
			n := spread(load, target)
			if n < last {
				t.Fatalf("a load of %v at %v: %d instances, and %d with less", load, target, n, last)
			}
			last = n
		}
	}
}

// contract: SC-3
func TestMeanOfAMinute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ concurrency, requests, want int }{
		{80, 480, 10}, {80, 4800, 100}, {10, 60, 10}, {80, 72, 1}, {80, 73, 2}, {1000, 6000, 10},
	} {
		r := revision{limits: usual(c.concurrency), load: always(c.requests)}
		r.trace(time.Minute + 2*startTime)
		if got := r.sample.Ready; got != c.want {
			t.Errorf("%d requests of %d at a time: %d instances, want %d", c.requests, c.concurrency, got, c.want)
		}
	}
}

// contract: SC-4
func TestTargets(t *testing.T) {
	t.Parallel()
	busy := always(900) // thousandths of a CPU, of each instance with requests
	for _, c := range []struct {
		name          string
		requests, cpu float64
		want          int
	}{
		{"both unset", 0, 0, 10},
		{"more of the requests", 0.95, -1, 7},
		{"fewer of the requests", 0.3, 0, 20},
		{"CPU alone, which six instances use", -1, 0, 9},
		{"CPU alone, more of it", -1, 0.95, 6},
		{"neither", -1, -1, 6},
	} {
		r := revision{limits: usual(10), load: always(60), used: busy}
		r.limits.ConcurrencyTarget, r.limits.CPUTarget = c.requests, c.cpu
		r.trace(2 * time.Minute)
		if got := r.sample.Ready; got != c.want {
			t.Errorf("%s: %d instances, want %d", c.name, got, c.want)
		}
	}
}

// contract: SC-3
func TestCPUStartsInstances(t *testing.T) {
	t.Parallel()
	r := revision{limits: usual(80), load: always(40), used: always(950)}
	const want = "0s:1 58s:2"
	if got := r.trace(3 * time.Minute); got != want {
		t.Errorf("one full CPU: %s, want %s", got, want)
	}
}

// contract: SC-6
func TestCPUStartsNothingFromZero(t *testing.T) {
	t.Parallel()
	var d Decider
	s := Sample{At: epoch}
	for range 1000 {
		if got := d.Decide(usual(80), s); got != 0 {
			t.Fatalf("%d instances without a request", got)
		}
		s.At = s.At.Add(tick)
		s.CPU += 10 * tick
	}
	s.Waiting = 1
	if got := d.Decide(usual(80), s); got != 1 {
		t.Errorf("%d instances for a request", got)
	}
}

// Nothing starts again what has crashed but a request.
//
// contract: SC-6
func TestWhatWasStartsNothing(t *testing.T) {
	t.Parallel()
	var d Decider
	s := Sample{At: epoch, Ready: 1, Active: 1}
	for range 100 {
		d.Decide(usual(80), s)
		s.At, s.Demand = s.At.Add(tick), s.Demand+tick
	}
	s.Ready, s.Active = 0, 0
	if got := d.Decide(usual(80), s); got != 0 {
		t.Errorf("%d instances, with none left and no request", got)
	}
}

// contract: SC-7
func TestCPUKeepsNoInstance(t *testing.T) {
	t.Parallel()
	var d Decider
	s := Sample{At: epoch, Ready: 1, Active: 1}
	got := d.Decide(usual(80), s)
	s.Active, s.Demand = 0, time.Second
	for range 130 {
		s.At = s.At.Add(time.Second)
		s.CPU += time.Second
		got = d.Decide(usual(80), s)
	}
	if got != 0 {
		t.Errorf("%d instances, two minutes after the last request", got)
	}
}

// Another process has left instances that are busy: how busy is known a minute
// later.
func TestBeginAmidLoad(t *testing.T) {
	t.Parallel()
	r := revision{limits: usual(10), load: always(60), sample: Sample{Ready: 10, CPU: time.Hour, Demand: time.Hour}}
	if got := r.trace(3 * time.Minute); got != "0s:10" {
		t.Errorf("ten instances that are needed: %s", got)
	}
	r = revision{limits: usual(10), load: always(6), sample: Sample{Ready: 10}}
	if got := r.trace(3 * time.Minute); got != "0s:10 1m1s:1" {
		t.Errorf("ten instances of which one is needed: %s", got)
	}
}

func TestTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	r := revision{limits: usual(10), load: between(0, time.Minute, 60)}
	r.trace(time.Minute)
	s := r.sample
	s.At, s.Active = s.At.Add(-time.Hour), 0
	last := 0
	for range 70 {
		last = r.decider.Decide(r.limits, s)
		s.At = s.At.Add(time.Second)
	}
	if last != 0 {
		t.Errorf("%d instances, a minute after the last request", last)
	}
}

// What happened between two samples far apart is taken to have been even.
func TestSamplesFarApart(t *testing.T) {
	t.Parallel()
	var d Decider
	s := Sample{At: epoch, Ready: 20, Active: 60}
	for range 10 {
		d.Decide(usual(10), s)
		s.At, s.Demand = s.At.Add(5*time.Minute), s.Demand+60*5*time.Minute
	}
	if got := d.Decide(usual(10), s); got != 10 {
		t.Errorf("%d instances, want 10", got)
	}
	s.Active, s.At = 0, s.At.Add(5*time.Minute)
	if got := d.Decide(usual(10), s); got != 0 {
		t.Errorf("%d instances, five minutes after the last request", got)
	}
}
