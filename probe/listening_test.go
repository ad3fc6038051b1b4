package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestListening(t *testing.T) {
	t.Parallel()
	port := closed(t)
	addr := netip.AddrPortFrom(loopback, uint16(port))
	found := make(chan error, 1)
	go func() { found <- Listening(t.Context(), addr) }()
	select {
	case err := <-found:
		t.Fatalf("nothing listens yet: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	select {
	case err := <-found:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("not found")
	}
}

func TestListeningEnds(t *testing.T) {
	t.Parallel()
	addr := netip.AddrPortFrom(loopback, uint16(closed(t)))
	if err := Listening(stopped(t), addr); !errors.Is(err, errStop) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errStop)
	defer cancel()
	err := Listening(ctx, addr)
	if !errors.Is(err, errStop) || !strings.Contains(err.Error(), "nothing listens on port") {
		t.Errorf("%v", err)
	}
}

func TestStepsGrow(t *testing.T) {
	t.Parallel()
	tries, last := 0, time.Duration(0)
	for waited := time.Duration(0); waited < 10*time.Second; waited += last {
		next := step(waited)
		if next < last || next > max(minStep, waited/50) {
			t.Fatalf("after %v: %v, and %v before", waited, next, last)
		}
		last, tries = next, tries+1
	}
	if tries > 350 {
		t.Errorf("%d tries in ten seconds", tries)
	}
	if s := step(time.Minute); s != maxStep {
		t.Errorf("after a minute: %v", s)
	}
}

// BenchmarkTry tells what CPU a try takes that is refused.
func BenchmarkTry(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	_ = l.Close()
	begin := used(b)
	n := 0
	for b.Loop() {
		if try(b.Context(), addr) == nil {
			b.Fatal("something listens")
		}
		n++
	}
	b.ReportMetric(float64(used(b)-begin)/float64(n), "cpu-ns/op")
}

// used is the CPU time that this process has used.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
