package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// signals is a channel that holds the given signals.
func signals(all ...os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, len(all))
	for _, s := range all {
		c <- s
	}
	return c
}

// contract: JOB-12
func TestSignalStopsEveryTask(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signals []os.Signal
		hangs   int
		calls   []string
		code    int
	}{
		"ctrl-c":       {[]os.Signal{syscall.SIGINT}, 1, []string{"cancel"}, 130},
		"ctrl-c twice": {[]os.Signal{syscall.SIGINT, syscall.SIGINT}, 2, []string{"cancel", "kill"}, 130},
		"terminate":    {[]os.Signal{syscall.SIGTERM}, 1, []string{"cancel"}, 143},
	} {
		h := &fakeHost{hang: true}
		for i := range c.hangs {
			h.attempts = append(h.attempts, fakeAttempt{i, 0, scheduler.Cancelled, contract.Exit{Signal: syscall.SIGTERM, Cancelled: true}, nil, []logfile.Entry{line("stdout", "bye")}})
		}
		sent := make(chan os.Signal, 2)
		x := &signalledHost{fakeHost: h, send: func() {
			for _, s := range c.signals {
				sent <- s
			}
		}}
		var stdout, stderr strings.Builder
		code := run(env{Args: []string{"run", "--image", "job", "--tasks", "2"}, Stdout: &stdout, Stderr: &stderr, Signals: sent,
			Open: func(_ context.Context, cfg hostConfig) (host, error) { h.cfg = cfg; return x, nil }})
		if code != c.code || !slices.Equal(h.calls, c.calls) {
			t.Errorf("%s: exit %d, want %d; calls %v, want %v", name, code, c.code, h.calls, c.calls)
		}
		if !strings.Contains(stderr.String(), "Stopping every task: SIGTERM now, SIGKILL in 10 seconds.") {
			t.Errorf("%s: stderr is %q", name, stderr.String())
		}
		if !strings.Contains(stdout.String(), "0 stdout bye\n") {
			t.Errorf("%s: the last words are missing: %q", name, stdout.String())
		}
	}
}

// signalledHost sends signals once the execution runs.
type signalledHost struct {
	*fakeHost
	send func()
}

func (h *signalledHost) Follow(ctx context.Context, instance string, ended <-chan struct{}, emit func(logfile.Entry)) error {
	if instance == "i" {
		h.send()
	}
	return h.fakeHost.Follow(ctx, instance, ended, emit)
}

func TestSignalEndsAPull(t *testing.T) {
	t.Parallel()
	h := &slowPull{fakeHost: &fakeHost{}}
	var stderr strings.Builder
	code := run(env{Args: []string{"run", "--image", "job"}, Stdout: &stderr, Stderr: &stderr, Signals: signals(syscall.SIGINT),
		Open: func(context.Context, hostConfig) (host, error) { return h, nil }})
	if code != 130 || stderr.String() != "Stopping.\n" {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
	if !h.closed {
		t.Error("the host was left open")
	}
}

// slowPull pulls until it is told to stop.
type slowPull struct{ *fakeHost }

func (h *slowPull) Pull(ctx context.Context, _ string, _ func(rimage.Progress)) (*rimage.Image, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestClosedOutputStopsTheTasks(t *testing.T) {
	t.Parallel()
	h := &fakeHost{hang: true, attempts: []fakeAttempt{
		{0, 0, scheduler.Cancelled, contract.Exit{Signal: syscall.SIGTERM, Cancelled: true}, nil, []logfile.Entry{line("stdout", "1"), line("stdout", "2")}},
	}}
	got := try(t, h, env{Stdout: brokenPipe{}}, "run", "--image", "job")
	if got.code != 1 || !slices.Equal(h.calls, []string{"cancel"}) {
		t.Errorf("exit %d, calls %v", got.code, h.calls)
	}
}
