package integration

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

// process is a runnel that works while the test looks on.
type process struct {
	h              *host
	cmd            *exec.Cmd
	stdout, stderr *buffer
	cancel         context.CancelFunc
	ctx            context.Context
	began          time.Time
	over           bool
}

// result is what a user has of a command that is over.
type result struct {
	h *host
	// code is what a shell would show: 128 and the number after a signal.
	code           int
	stdout, stderr string
	took           time.Duration
}

// run executes "runnel run" with args to its end.
func (h *host) run(args ...string) result {
	h.Helper()
	return h.start(args...).wait()
}

// start begins "runnel run" with args.
func (h *host) start(args ...string) *process {
	h.Helper()
	return h.startWith(func(*exec.Cmd) {}, append([]string{"run"}, args...)...)
}

// startWith begins runnel with args in the way that adjust makes of it. If it
// outlives the test's patience it is told to show what it does, and ends.
func (h *host) startWith(adjust func(*exec.Cmd), args ...string) *process {
	h.Helper()
	p := h.startFor(patience(), adjust, args...)
	h.Cleanup(p.abandon)
	return p
}

// startFor is startWith for a process that may live for as long as life, and
// that the caller ends.
func (h *host) startFor(life time.Duration, adjust func(*exec.Cmd), args ...string) *process {
	h.Helper()
	p := &process{h: h, stdout: newBuffer(), stderr: newBuffer()}
	p.ctx, p.cancel = context.WithTimeout(context.Background(), life)
	p.cmd = exec.CommandContext(p.ctx, h.runnel, args...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGQUIT) }
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.Env = os.Environ()
	// A shell may have left its children with these ignored.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	adjust(p.cmd)
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		h.Fatal(err)
	}
	return p
}

// abandon ends a process that a test gave up before its end, so that what fails
// is that test alone.
func (p *process) abandon() {
	if p.over {
		return
	}
	p.signal(syscall.SIGINT)
	p.signal(syscall.SIGINT)
	p.h.Logf("given up: %q\n%s", p.cmd.Args[1:], p.wait())
}

// ended reports whether the process has ended, though nobody has waited for it.
func (p *process) ended() bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	return err != nil || strings.Contains(string(text), ") Z ")
}

// wait returns when the process has ended.
func (p *process) wait() result {
	p.h.Helper()
	defer p.cancel()
	err := p.cmd.Wait()
	p.over = true
	r := result{h: p.h, stdout: p.stdout.String(), stderr: p.stderr.String(), took: time.Since(p.began)}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || p.ctx.Err() != nil {
		p.h.Fatalf("%q after %v: %v\n%s", p.cmd.Args[1:], r.took, err, r)
	}
	r.code = p.cmd.ProcessState.ExitCode()
	if ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		r.code = 128 + int(ws.Signal())
	}
	return r
}

// signal sends sig; a process that has ended is none the worse for it.
func (p *process) signal(sig syscall.Signal) {
	p.h.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.h.Error(err)
	}
}

// says waits until text has been written to b.
func (p *process) says(b *buffer, text string) {
	p.h.Helper()
	testenv.Eventually(p.h.T, patience(), func() bool { return strings.Contains(b.String(), text) },
		"want", text, "in what the program writes")
}

// shim is the pid of the shim that the process has started.
func (p *process) shim() (pid int) {
	p.h.Helper()
	testenv.Eventually(p.h.T, patience(), func() bool {
		for _, child := range childrenOf(p.cmd.Process.Pid) {
			exe, err := os.Readlink("/proc/" + child.pid + "/exe")
			if err == nil && strings.Contains(exe, "runnel-shim") {
				pid = child.number
			}
		}
		return pid != 0
	}, "the shim has started")
	return pid
}

// String is everything there was to see.
func (r result) String() string {
	return "--- standard output\n" + clip(r.stdout) + "--- standard error\n" + clip(r.stderr) + "---"
}

// exits fails the test at once unless the command ended with code.
func (r result) exits(code int) result {
	r.h.Helper()
	if r.code != code {
		r.h.Fatalf("exit %d, want %d\n%s", r.code, code, r)
	}
	return r
}

// explains fails the test unless standard error ends with exactly one line
// that tells the mistake, with all of words in it.
func (r result) explains(words ...string) {
	r.h.Helper()
	var told []string
	for line := range strings.Lines(r.stderr) {
		if strings.HasPrefix(line, "runnel run: ") || strings.HasPrefix(line, "runnel: ") {
			told = append(told, line)
		}
	}
	if len(told) != 1 {
		r.h.Errorf("%d lines explain the failure, want one\n%s", len(told), r)
		return
	}
	for _, w := range words {
		if !strings.Contains(told[0], w) {
			r.h.Errorf("the explanation lacks %q: %s", w, told[0])
		}
	}
	for _, noise := range []string{"panic", "goroutine ", "0x", "%!"} {
		if strings.Contains(r.stderr, noise) {
			r.h.Errorf("standard error holds %q\n%s", noise, r)
		}
	}
}

// shows fails the test unless every one of words is in what was printed.
func (r result) shows(words ...string) result {
	r.h.Helper()
	for _, w := range words {
		if !strings.Contains(r.stdout, w) && !strings.Contains(r.stderr, w) {
			r.h.Errorf("lacks %q\n%s", w, r)
		}
	}
	return r
}

// buffer is a bytes.Buffer for one writer and many readers.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func newBuffer() *buffer { return new(buffer) }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
