package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/cmd/runnel/cli"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/internal/testenv"
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
			h.attempts = append(h.attempts, fakeAttempt{i, 0, scheduler.Cancelled, contract.Exit{Signal: syscall.SIGTERM, Cancelled: true}, nil, []logfile.Entry{line("stdout", "bye")}, 0})
		}
		sent := make(chan os.Signal, 2)
		x := &signalledHost{fakeHost: h, send: func() {
			for _, s := range c.signals {
				sent <- s
			}
		}}
		var stdout, stderr strings.Builder
		code := run(env{Args: []string{"run", "--image", "job", "--tasks", "2"}, Env: cli.Env{Stdout: &stdout, Stderr: &stderr, Signals: sent},
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
	code := run(env{Args: []string{"run", "--image", "job"}, Env: cli.Env{Stdout: &stderr, Stderr: &stderr, Signals: signals(syscall.SIGINT)},
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
		{0, 0, scheduler.Cancelled, contract.Exit{Signal: syscall.SIGTERM, Cancelled: true}, nil, []logfile.Entry{line("stdout", "1"), line("stdout", "2")}, 0},
	}}
	got := try(t, h, env{Env: cli.Env{Stdout: brokenPipe{}}}, "run", "--image", "job")
	if got.code != 1 || !slices.Equal(h.calls, []string{"cancel"}) {
		t.Errorf("exit %d, calls %v", got.code, h.calls)
	}
}

// Standard output that nobody reads, a full pipe or a screen after Ctrl-S,
// keeps no signal from the tasks, and a second one ends the program.
func TestSignalsCountWhileNobodyReads(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	h := &fakeHost{hang: true}
	flood := []logfile.Entry{line("stdout", strings.Repeat("x", 4*maxPending))}
	for i := range 2 {
		h.attempts = append(h.attempts, fakeAttempt{i, 0, scheduler.Cancelled, contract.Exit{Signal: syscall.SIGKILL, Cancelled: true}, nil, flood, 0})
	}
	sent := make(chan os.Signal, 2)
	code := make(chan int)
	go func() {
		code <- run(env{Args: []string{"run", "--image", "job", "--tasks", "2"}, Env: cli.Env{Stdout: w, Stderr: io.Discard, Signals: sent}, Open: h.open})
	}()
	first := make([]byte, 1)
	if _, err := r.Read(first); err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{"cancel", "kill"} {
		sent <- syscall.SIGINT
		testenv.Eventually(t, 10*time.Second, func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return len(h.calls) > n && h.calls[n] == want
		}, want)
	}
	select {
	case got := <-code:
		if got != 130 {
			t.Errorf("exit %d", got)
		}
	case <-time.After(30 * time.Second):
		t.Error("the command hangs")
	}
}

// What ignores a signal from its start, like all that nohup runs, goes on
// ignoring it.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	t.Parallel()
	if os.Getenv("RUNNEL_TEST_SIGNALS") != "" {
		fmt.Println(stopSignals())
		return
	}
	for trap, want := range map[string]string{
		"":             "[terminated interrupt hangup]",
		"trap '' HUP;": "[terminated interrupt]",
		"trap '' INT;": "[terminated hangup]",
	} {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", trap+`exec "$0" -test.v -test.run '^TestIgnoredSignalsStayIgnored$'`, os.Args[0])
		cmd.Env = append(os.Environ(), "RUNNEL_TEST_SIGNALS=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want+"\n") {
			t.Errorf("%s got %v, %s; want %s", trap, err, out, want)
		}
	}
}
