package net

import (
	"testing"

	"golang.org/x/sys/unix"

	"runnel/internal/testenv"
)

// cpuTime is what the process has used so far, in nanoseconds. What the kernel
// does in the background is not in it.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func benchNetwork(b *testing.B) *Network {
	b.Helper()
	testenv.Root(b)
	n := New(Config{Name: "bench1"})
	if err := n.Setup(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := n.Close(); err != nil {
			b.Error(err)
		}
	})
	return n
}

// cycle attaches and closes one instance.
func cycle(b *testing.B, n *Network) {
	a, err := n.Attach(b.Context())
	if err == nil {
		err = a.Close()
	}
	if err != nil {
		b.Error(err)
	}
}

func BenchmarkAttachClose(b *testing.B) {
	n := benchNetwork(b)
	before := cpuTime(b)
	for b.Loop() {
		cycle(b, n)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func BenchmarkAttachCloseParallel(b *testing.B) {
	n := benchNetwork(b)
	before := cpuTime(b)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			cycle(b, n)
		}
	})
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkAttach leaves the closing out.
func BenchmarkAttach(b *testing.B) {
	n := benchNetwork(b)
	for b.Loop() {
		a, err := n.Attach(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkSetupClose(b *testing.B) {
	testenv.Root(b)
	for b.Loop() {
		n := New(Config{Name: "bench1"})
		if err := n.Setup(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuiet(b *testing.B) {
	n := benchNetwork(b)
	a, err := n.Attach(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	for b.Loop() {
		if _, err := a.Quiet(0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForget(b *testing.B) {
	n := benchNetwork(b)
	a, err := n.Attach(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	for name, forgotten := range map[string]uint64{"idle": 0, "busy": 1} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				a.forgotten = forgotten // busy: not what the port has counted
				if err := a.Forget(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
