package shim

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// logName is what the shim's log is called in its directory.
const logName = "shim.log"

// Process is the process of a shim: one that this process has started, or one
// that an earlier process started and that lives on.
type Process struct {
	process *os.Process
	log     string    // path
	child   *exec.Cmd // nil if it is another's
	// lifeline ties it to this process; nil if it is not tied.
	lifeline *os.File
	// done is closed when a tied shim has ended; err is how.
	done chan struct{}
	err  error
}

// Find returns the process pid, which the shim of directory dir has given as its
// own. That it is still the same is certain if the shim answers a call made
// afterwards.
func Find(dir string, pid int) (*Process, error) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil, fmt.Errorf("find shim: %w", err)
	}
	return &Process{process: p, log: filepath.Join(dir, logName)}, nil
}

// watch is the process of a command that has been started.
func watch(cmd *exec.Cmd, log string, lifeline *os.File) *Process {
	p := &Process{process: cmd.Process, child: cmd, log: log, lifeline: lifeline}
	if lifeline == nil {
		return p
	}
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	return p
}

// PID is the shim's process id.
func (p *Process) PID() int { return p.process.Pid }

// LastWords is the last line that the shim has logged, for a person who asks why
// it ended.
func (p *Process) LastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// closeTime bounds how long a shim may take to end its containers and itself.
const closeTime = time.Minute

// Close drops the lifeline, waits for the shim to end, and returns how it ended.
// A shim that cannot end, because the kernel will not let go of a container, is
// killed. One without a lifeline is let go, and lives on.
func (p *Process) Close() error {
	if p.lifeline == nil {
		if err := p.process.Release(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("let go of shim: %w", err)
		}
		return nil
	}
	_ = p.lifeline.Close() // nothing is written to it
	select {
	case <-p.done:
	case <-time.After(closeTime):
		_ = p.process.Kill() // an error means that it has ended
		<-p.done
	}
	if p.err != nil {
		return fmt.Errorf("shim: %w", p.err)
	}
	return nil
}

// Kill ends a shim without a lifeline and lets go of it. If this process started
// it, it has been reaped when Kill returns; if another did, it may take a moment
// yet to be gone.
func (p *Process) Kill() {
	_ = p.process.Kill() // an error means that it has ended
	p.Reap()
}

// Reap waits for the end of a shim without a lifeline that this process started
// and that has been told to end, and lets go of it.
func (p *Process) Reap() {
	if p.child != nil {
		_ = p.child.Wait() // as it was told
		return
	}
	_ = p.process.Release() // a descriptor
}
