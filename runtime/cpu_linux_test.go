package runtime_test

import (
	"strings"
	"testing"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

const spin = "echo up; while :; do :; done"

// spent is how much CPU an instance takes while the wall clock goes on by d.
func spent(t *testing.T, i *rruntime.Instance, d time.Duration) time.Duration {
	t.Helper()
	before, err := i.Usage()
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(d)
	after, err := i.Usage()
	if err != nil {
		t.Fatal(err)
	}
	return after.CPU - before.CPU
}

// contract: CPU-5 CPU-7
func TestThrottledInstanceStandsNearlyStill(t *testing.T) {
	b := newBench(t)
	for _, scripts := range [][]string{{spin}, {spin, spin}} {
		s := b.several(scripts...)
		i := b.start(s)
		for n := range scripts {
			b.logs(&s, n, "up")
		}
		none, full := make([]contract.MilliCPU, len(scripts)), make([]contract.MilliCPU, len(scripts))
		for n := range full {
			full[n] = 1000
		}
		const while = 1500 * time.Millisecond
		b.must(i.SetCPU(none...))
		idle := spent(t, i, while)
		b.must(i.SetCPU(full...))
		busy := spent(t, i, while)
		t.Logf("%d containers: %v without CPU, %v with", len(scripts), idle, busy)
		// A hundredth each, and room for what a tick is late.
		if idle > while/20*time.Duration(len(scripts)) || busy < 4*idle {
			t.Errorf("%d containers: %v of CPU while throttled, %v while not", len(scripts), idle, busy)
		}
		if err := i.SetCPU(make([]contract.MilliCPU, 3)...); err == nil {
			t.Error("a quota for a container too many")
		}
		if u, err := i.Usage(); err != nil || u.ThrottledPeriods == 0 || u.Throttled == 0 {
			t.Errorf("usage %+v, %v", u, err)
		}
		b.must(i.Delete(t.Context()), i.SetCPU(none...))
	}
}

// A throttled instance goes on at once when it is given CPU, not with the next
// period of the quota.
//
// contract: CPU-5
func TestGivenCPUTheInstanceGoesOnAtOnce(t *testing.T) {
	b := newBench(t)
	i := b.start(b.spec(spin))
	var late int
	for range 10 {
		b.must(i.SetCPU(0))
		<-time.After(150 * time.Millisecond) // more than a period: its quota is used up
		before, err := i.Usage()
		b.must(err, i.SetCPU(1000))
		<-time.After(40 * time.Millisecond) // less than a period
		after, err := i.Usage()
		b.must(err)
		if after.CPU-before.CPU < 3*time.Millisecond {
			late++
		}
	}
	if late > 5 { // others take the CPU too
		t.Errorf("in %d of 10 times nothing had run within 40 ms", late)
	}
}

// contract: LIFE-8
func TestStoppingInstanceHasItsCPU(t *testing.T) {
	b := newBench(t)
	// Takes 5 s of a hundredth of a CPU, and far less of one.
	s := b.spec("trap 'n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done; echo done; exit 7' TERM; echo ready; while :; do sleep 0.02; done")
	i := b.start(s)
	b.logs(&s, 0, "ready")
	b.must(i.SetCPU(0), i.Stop(t.Context(), 20*time.Second))
	if e := b.wait(i); e.Code != 7 || !strings.Contains(b.log(&s, 0), "done") {
		t.Errorf("exit %+v", e)
	}
	if cpu, _ := b.limits(s.ID); cpu != 1000 {
		t.Errorf("quota of %d", cpu)
	}
	b.must(i.SetCPU(0)) // comes too late
	if cpu, _ := b.limits(s.ID); cpu != 1000 {
		t.Errorf("quota of %d once stopped", cpu)
	}
}

// contract: CPU-8
func TestCPUMayBeMoreThanTheLimit(t *testing.T) {
	b := newBench(t)
	s := b.several("echo up; sleep 1000", "echo up; sleep 1000")
	i := b.start(s)
	b.logs(&s, 1, "up")
	b.must(i.SetCPU(2000, 4000))
	for n, want := range []contract.MilliCPU{2000, 4000} {
		if cpu, _ := b.limits(s.ID + "/" + rruntime.ContainerID(s.ID, n)); cpu != want {
			t.Errorf("container %d: %d", n, cpu)
		}
	}
}

func BenchmarkSetCPU(b *testing.B) {
	bench := newBench(b)
	for name, script := range map[string]string{"idle": "sleep 1000", "busy": spin} {
		b.Run(name, func(b *testing.B) {
			i := bench.create(bench.spec(script))
			bench.must(i.Start(b.Context()))
			for b.Loop() {
				bench.must(i.SetCPU(0), i.SetCPU(1000))
			}
		})
	}
}
