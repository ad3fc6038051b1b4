package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	rruntime "runnel/runtime"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// epoch is when everything begins in these tests.
func epoch() time.Time { return time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC) }

// fakeHost stands at the seam between the command and the mechanisms. It pulls
// nothing and runs nothing, but tells of it as a real host does.
type fakeHost struct {
	cfg hostConfig
	// layers are reported by Pull, which then fails with pullErr if set.
	layers  []rimage.Progress
	pullErr error
	// attempts are what happens, in order.
	attempts []fakeAttempt
	// hang keeps the execution from ending before it is cancelled.
	hang bool
	// checkErr, executeErr and closeErr are what Check, Execute and Close fail
	// with.
	checkErr, executeErr, closeErr error

	mu     sync.Mutex
	job    *runpb.Job
	calls  []string
	closed bool
}

// fakeAttempt is one attempt of one task that takes a second.
type fakeAttempt struct {
	task, attempt int
	state         scheduler.TaskState
	exit          contract.Exit
	err           error
	lines         []logfile.Entry
	// peak is the most memory it used.
	peak contract.Bytes
}

func line(stream, text string) logfile.Entry {
	return logfile.Entry{Time: epoch(), Stream: stream, Text: []byte(text)}
}

func (h *fakeHost) open(_ context.Context, cfg hostConfig) (host, error) {
	h.cfg = cfg
	return h, nil
}

func (h *fakeHost) called(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, what)
}

func (h *fakeHost) Check(*runpb.Job) error { return h.checkErr }

func (h *fakeHost) Pull(ctx context.Context, _ string, progress func(rimage.Progress)) (*rimage.Image, error) {
	for _, p := range h.layers {
		progress(p)
	}
	return new(rimage.Image), h.pullErr
}

func (h *fakeHost) Execute(_ context.Context, job *runpb.Job, _ *rimage.Image) (execution, error) {
	if h.executeErr != nil {
		return nil, h.executeErr
	}
	h.job = job
	x := &fakeExecution{host: h, stop: make(chan struct{}, 2)}
	return x, nil
}

func (h *fakeHost) Follow(_ context.Context, instance string, ended <-chan struct{}, emit func(logfile.Entry)) error {
	for _, a := range h.attempts {
		if a.instance() == instance {
			for _, l := range a.lines {
				emit(l)
			}
		}
	}
	<-ended
	return nil
}

func (h *fakeHost) Close() error {
	h.closed = true
	return h.closeErr
}

func (a fakeAttempt) instance() string {
	return strings.Repeat("i", a.task+1) + strings.Repeat("a", a.attempt)
}

// fakeExecution tells of the attempts when it is waited for.
type fakeExecution struct {
	host *fakeHost
	stop chan struct{}
}

func (x *fakeExecution) Name() string { return "job-abcde" }
func (x *fakeExecution) Cancel()      { x.host.called("cancel"); x.stop <- struct{}{} }
func (x *fakeExecution) Kill()        { x.host.called("kill"); x.stop <- struct{}{} }

func (x *fakeExecution) Wait(context.Context) (*runpb.Execution, error) {
	var counts scheduler.Counts
	for i, a := range x.host.attempts {
		e := scheduler.Event{Index: a.task, Attempt: a.attempt, Instance: a.instance(), At: epoch().Add(time.Duration(i) * time.Second)}
		if a.err == nil {
			e.Kind, e.State = scheduler.AttemptStarting, scheduler.Running
			x.host.cfg.Observe(e)
		}
		if x.host.hang {
			<-x.stop
		}
		if a.exit.TimedOut {
			e.Kind, e.Exit.TimedOut = scheduler.AttemptStopping, true
			x.host.cfg.Observe(e)
		}
		switch a.state {
		case scheduler.Succeeded:
			counts.Succeeded++
		case scheduler.Failed:
			counts.Failed++
		case scheduler.Cancelled:
			counts.Cancelled++
		}
		e.Kind, e.State, e.Err, e.Counts = scheduler.AttemptEnded, a.state, a.err, counts
		e.Exit = rruntime.Exit{Exit: a.exit, MemoryPeak: a.peak}
		e.At = e.At.Add(time.Second)
		x.host.cfg.Observe(e)
	}
	x.host.cfg.Observe(scheduler.Event{Kind: scheduler.ExecutionEnded, Counts: counts})
	return nil, nil
}

// outcome is what a command leaves.
type outcome struct {
	code           int
	stdout, stderr string
}

// try runs a command line on h, which may be nil if the host must not be used.
func try(t *testing.T, h *fakeHost, e env, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	e.Args = args
	if e.Stdin == nil {
		e.Stdin = strings.NewReader("")
	}
	if e.Stdout == nil {
		e.Stdout = &stdout
	}
	e.Stderr = &stderr
	e.Open = func(context.Context, hostConfig) (host, error) {
		t.Error("the host was opened")
		return nil, errors.New("not here")
	}
	if h != nil {
		e.Open = h.open
	}
	code := run(e)
	return outcome{code, stdout.String(), stderr.String()}
}

// brokenPipe is standard output whose reader has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "|1", Err: io.ErrClosedPipe}
}
