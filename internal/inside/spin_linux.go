package main

import (
	"context"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// spin computes, and tells what of the host's time it had, and how often its
// threads have handed a turn around: each spins until it is its own. Threads that
// run at the same time do that in less than a microsecond; those that share one
// processor have to wait until the kernel takes it from the one before.
func spin(_ context.Context, v url.Values) (any, error) {
	threads, err := number(v, "threads", 1)
	if err != nil {
		return nil, err
	}
	d, err := duration(v, "for", 500*time.Millisecond)
	if err != nil {
		return nil, err
	}
	// One more, so that this one can wait.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads + 1))
	begin, had := time.Now(), cpuTime()
	var running sync.WaitGroup
	var turn atomic.Int64
	for me := range int64(threads) {
		running.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for time.Since(begin) < d {
				if turn.Load()%int64(threads) == me {
					turn.Add(1)
				}
			}
		})
	}
	running.Wait()
	return map[string]any{
		"wallSeconds": time.Since(begin).Seconds(), "cpuSeconds": (cpuTime() - had).Seconds(), "handovers": turn.Load(),
	}, nil
}

// cpuTime is what all threads of this process have used.
func cpuTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // it can be asked for always
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
