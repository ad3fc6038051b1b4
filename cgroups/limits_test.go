package cgroups

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/contract"
	"runnel/internal/testenv"
)

// Scripts that reach a limit.
const (
	hog  = `x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done`
	spin = `while :; do :; done`
	many = `i=0; while [ $i -lt 64 ]; do sleep 60 & i=$((i+1)); done; wait`
)

// contract: MEM-1, FS-2
func TestMemoryLimitKillsAndIsRecognised(t *testing.T) {
	w := start(t, Limits{CPU: 1000, Memory: 32 * contract.MiB, PIDs: 64}, hog)
	if status := w.wait(t); status.Signal() != syscall.SIGKILL {
		t.Errorf("the hog ended with %v, want SIGKILL", status)
	}
	events, err := w.Events()
	check(t, err)
	if events.OOMKills == 0 {
		t.Error("no kill counted")
	}
	usage, err := w.Usage()
	check(t, err)
	if usage.MemoryPeak < 8*contract.MiB || usage.MemoryPeak > 32*contract.MiB {
		t.Errorf("memory peak %v, want something below the limit of 32Mi", usage.MemoryPeak)
	}
}

func TestAKillByHandIsNoMemoryKill(t *testing.T) {
	w := start(t, plenty, spin)
	check(t, w.Kill())
	w.wait(t)
	if events, err := w.Events(); err != nil || events.OOMKills != 0 {
		t.Errorf("events %+v, %v, want none", events, err)
	}
}

// contract: LIFE-10
func TestMemoryLimitEndsTheWholeInstance(t *testing.T) {
	w := start(t, Limits{CPU: 1000, Memory: 32 * contract.MiB, PIDs: 64}, "sleep 600 & sleep 600 & ("+hog+") & wait")
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	check(t, w.WaitOOM(ctx))
	check(t, w.Kill())
	w.empty(t)
	w.wait(t)
}

func TestWaitOOMSeesWhatWasBefore(t *testing.T) {
	w := start(t, Limits{CPU: 1000, Memory: 32 * contract.MiB, PIDs: 64}, hog)
	w.wait(t)
	check(t, w.WaitOOM(t.Context()))
}

func TestWaitOOMEndsWithItsContext(t *testing.T) {
	w := start(t, plenty, spin)
	stop := errors.New("that will do")
	ctx, cancel := context.WithCancelCause(t.Context())
	end := watch(t, w.Group, ctx)
	cancel(stop)
	if err := <-end; !errors.Is(err, stop) {
		t.Errorf("ended with %v, want the cause of the context's end", err)
	}
}

func TestWaitOOMEndsWithTheGroup(t *testing.T) {
	w := start(t, plenty, "sleep 600")
	end := watch(t, w.Group, context.Background())
	check(t, w.Kill())
	check(t, w.Remove(t.Context()))
	select {
	case err := <-end:
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ended with %v, want fs.ErrNotExist", err)
		}
	case <-time.After(deadline):
		t.Fatal("still waits for a group that is gone")
	}
}

func TestWaitOOMEndsWithAGroupThatWasNeverUsed(t *testing.T) {
	h, path := parent(t)
	g, err := h.Group(path)
	check(t, err)
	end := watch(t, g, context.Background())
	check(t, g.Remove(t.Context()))
	select {
	case err := <-end:
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ended with %v, want fs.ErrNotExist", err)
		}
	case <-time.After(deadline):
		t.Fatal("still waits for a group that is gone")
	}
}

// watch has g watched, and returns when it is.
func watch(t *testing.T, g *Group, ctx context.Context) <-chan error {
	t.Helper()
	descriptors := func() (n int) {
		fds, err := filepath.Glob("/proc/self/fd/*")
		check(t, err)
		for _, fd := range fds {
			if target, err := os.Readlink(fd); err == nil && strings.Contains(target, "eventfd]") || strings.Contains(target, "inotify") {
				n++
			}
		}
		return n
	}
	before := descriptors()
	end := make(chan error, 1)
	go func() { end <- g.WaitOOM(ctx) }()
	testenv.Eventually(t, deadline, func() bool { return descriptors() > before }, "a watch")
	return end
}

// contract: CPU-2
func TestCPUQuotaThrottles(t *testing.T) {
	w := start(t, Limits{CPU: contract.MinCPU, Memory: 64 * contract.MiB, PIDs: 64}, spin)
	testenv.Eventually(t, deadline, func() bool {
		u, err := w.Usage()
		check(t, err)
		return u.ThrottledPeriods > 0 && u.Throttled > 0 && u.Periods >= u.ThrottledPeriods && u.CPU > 0
	}, "throttling")
}

func TestPIDsLimitHolds(t *testing.T) {
	w := start(t, Limits{CPU: 1000, Memory: 64 * contract.MiB, PIDs: 16}, many)
	testenv.Eventually(t, deadline, func() bool {
		u, err := w.Usage()
		check(t, err)
		if u.PIDs > 16 {
			t.Fatalf("%d processes, want at most 16", u.PIDs)
		}
		return u.PIDs >= 14
	}, "the limit reached")
	check(t, w.Kill())
	w.empty(t)
}

func TestUsageOfNoGroup(t *testing.T) {
	h, path := parent(t)
	g, err := h.Group(path + "/nobody")
	check(t, err)
	if _, err := g.Usage(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("usage: %v, want fs.ErrNotExist", err)
	}
	if _, err := g.Events(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("events: %v, want fs.ErrNotExist", err)
	}
	if err := g.WaitOOM(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("watch: %v, want fs.ErrNotExist", err)
	}
	if populated, err := g.Populated(); populated || err != nil {
		t.Errorf("populated %v, %v", populated, err)
	}
}
