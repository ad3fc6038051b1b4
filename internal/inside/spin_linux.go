package main

import (
	"context"
	"net/url"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// spin computes, and tells what of the host's time it had.
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
	for range threads {
		running.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for time.Since(begin) < d {
			}
		})
	}
	running.Wait()
	return map[string]any{"wallSeconds": time.Since(begin).Seconds(), "cpuSeconds": (cpuTime() - had).Seconds()}, nil
}

// cpuTime is what all threads of this process have used.
func cpuTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // it can be asked for always
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
