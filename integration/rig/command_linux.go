package rig

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"runnel/internal/testenv"
)

// Process is a runnel that works while the test looks on.
type Process struct {
	// Cmd is the command; Stdout and Stderr are what it has printed so far.
	Cmd            *exec.Cmd
	Stdout, Stderr *Buffer

	Host   *Host
	cancel context.CancelFunc
	ctx    context.Context
	began  time.Time
	over   bool
}

// Result is what a user has of a command that is over.
type Result struct {
	// Code is what a shell would show: 128 and the number after a signal.
	Code           int
	Stdout, Stderr string
	Took           time.Duration

	Host *Host
}

// Run executes "runnel run" with args to its end.
func (h *Host) Run(args ...string) Result {
	h.Helper()
	return h.Start(args...).Wait()
}

// Start begins "runnel run" with args.
func (h *Host) Start(args ...string) *Process {
	h.Helper()
	return h.StartWith(func(*exec.Cmd) {}, append([]string{"run"}, args...)...)
}

// StartWith begins runnel with args in the way that adjust makes of it. If it
// outlives the test's patience it is told to show what it does, and ends.
func (h *Host) StartWith(adjust func(*exec.Cmd), args ...string) *Process {
	h.Helper()
	p := h.StartFor(Patience(), adjust, args...)
	h.Cleanup(p.abandon)
	return p
}

// StartFor is startWith for a process that may live for as long as life, and
// that the caller ends.
func (h *Host) StartFor(life time.Duration, adjust func(*exec.Cmd), args ...string) *Process {
	h.Helper()
	p := &Process{Host: h, Stdout: new(Buffer), Stderr: new(Buffer)}
	p.ctx, p.cancel = context.WithTimeout(context.Background(), life)
	p.Cmd = exec.CommandContext(p.ctx, h.Runnel, args...)
	p.Cmd.Cancel = func() error { return p.Cmd.Process.Signal(syscall.SIGQUIT) }
	p.Cmd.WaitDelay = 10 * time.Second
	p.Cmd.Stdout, p.Cmd.Stderr = p.Stdout, p.Stderr
	p.Cmd.Env = os.Environ()
	// A shell may have left its children with these ignored.
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	adjust(p.Cmd)
	p.began = time.Now()
	if err := p.Cmd.Start(); err != nil {
		h.Fatal(err)
	}
	return p
}

// abandon ends a process that a test gave up before its end, so that what fails
// Is that test alone.
func (p *Process) abandon() {
	if p.over {
		return
	}
	p.Signal(syscall.SIGINT)
	p.Signal(syscall.SIGINT)
	p.Host.Logf("given up: %q\n%s", p.Cmd.Args[1:], p.Wait())
}

// Ended reports whether the process has ended, though nobody has waited for it.
func (p *Process) Ended() bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.Cmd.Process.Pid) + "/stat")
	return err != nil || strings.Contains(string(text), ") Z ")
}

// Wait returns when the process has ended.
func (p *Process) Wait() Result {
	p.Host.Helper()
	defer p.cancel()
	err := p.Cmd.Wait()
	p.over = true
	r := Result{Host: p.Host, Stdout: p.Stdout.String(), Stderr: p.Stderr.String(), Took: time.Since(p.began)}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || p.ctx.Err() != nil {
		p.Host.Fatalf("%q after %v: %v\n%s", p.Cmd.Args[1:], r.Took, err, r)
	}
	r.Code = p.Cmd.ProcessState.ExitCode()
	if ws, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		r.Code = 128 + int(ws.Signal())
	}
	return r
}

// Signal sends sig; a process that has ended is none the worse for it.
func (p *Process) Signal(sig syscall.Signal) {
	p.Host.Helper()
	if err := p.Cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Host.Error(err)
	}
}

// Says waits until text has been written to b.
func (p *Process) Says(b *Buffer, text string) {
	p.Host.Helper()
	testenv.Eventually(p.Host, Patience(), func() bool { return strings.Contains(b.String(), text) },
		"want", text, "in what the program writes")
}

// Shim is the pid of the shim that the process has started.
func (p *Process) Shim() (pid int) {
	p.Host.Helper()
	testenv.Eventually(p.Host, Patience(), func() bool {
		for _, child := range ChildrenOf(p.Cmd.Process.Pid) {
			exe, err := os.Readlink("/proc/" + strconv.Itoa(child) + "/exe")
			if err == nil && strings.Contains(exe, "runnel-shim") {
				pid = child
			}
		}
		return pid != 0
	}, "the shim has started")
	return pid
}

// String is everything there was to see.
func (r Result) String() string {
	return "--- standard output\n" + Clip(r.Stdout) + "--- standard error\n" + Clip(r.Stderr) + "---"
}

// Exits fails the test at once unless the command ended with code.
func (r Result) Exits(code int) Result {
	r.Host.Helper()
	if r.Code != code {
		r.Host.Fatalf("exit %d, want %d\n%s", r.Code, code, r)
	}
	return r
}

// Explains fails the test unless standard error ends with exactly one line
// that tells the mistake, with all of words in it.
func (r Result) Explains(words ...string) {
	r.Host.Helper()
	var told []string
	for line := range strings.Lines(r.Stderr) {
		if strings.HasPrefix(line, "runnel run: ") || strings.HasPrefix(line, "runnel: ") {
			told = append(told, line)
		}
	}
	if len(told) != 1 {
		r.Host.Errorf("%d lines explain the failure, want one\n%s", len(told), r)
		return
	}
	for _, w := range words {
		if !strings.Contains(told[0], w) {
			r.Host.Errorf("the explanation lacks %q: %s", w, told[0])
		}
	}
	for _, noise := range []string{"panic", "goroutine ", "0x", "%!"} {
		if strings.Contains(r.Stderr, noise) {
			r.Host.Errorf("standard error holds %q\n%s", noise, r)
		}
	}
}

// Shows fails the test unless every one of words is in what was printed.
func (r Result) Shows(words ...string) Result {
	r.Host.Helper()
	for _, w := range words {
		if !strings.Contains(r.Stdout, w) && !strings.Contains(r.Stderr, w) {
			r.Host.Errorf("lacks %q\n%s", w, r)
		}
	}
	return r
}

// Buffer is a bytes.Buffer for one writer and many readers.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

// Write adds what the process prints.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String is what there is so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
