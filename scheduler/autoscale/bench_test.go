package autoscale

import (
	"testing"
	"time"
)

// Ten thousand decisions under a steady load change nothing and allocate
// nothing.
func TestSteady(t *testing.T) {
	r := revision{limits: usual(10), load: always(60), used: always(100)}
	r.trace(2 * time.Minute)
	at, changes := 2*time.Minute, 0
	allocations := testing.AllocsPerRun(10_000, func() {
		at += tick
		if n := r.decider.Decide(r.limits, r.after(at)); n != 10 {
			changes++
		}
	})
	if allocations > 0 || changes > 0 || r.sample.Ready != 10 {
		t.Errorf("%v allocations each, %d decisions for another number than 10", allocations, changes)
	}
}

func BenchmarkDecide(b *testing.B) {
	r := revision{limits: usual(1), load: always(60), used: always(100)}
	r.trace(2 * time.Minute)
	b.ReportAllocs()
	for at := 2 * time.Minute; b.Loop(); at += tick {
		r.decider.Decide(r.limits, r.after(at))
	}
}
