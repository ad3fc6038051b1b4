package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// daemonLimit is how long a daemon may take to answer, or to end.
const daemonLimit = time.Minute

// dockerTool is Docker with a daemon of its own.
type dockerTool struct {
	program, daemon, dir, ref string
	process                   *exec.Cmd
}

func newDocker(c config) (tool, error) {
	program, err := find(c, "docker")
	if err != nil {
		return nil, err
	}
	daemon, err := exec.LookPath("dockerd")
	return &dockerTool{program: program, daemon: daemon, dir: filepath.Join(c.dir, "docker")}, err
}

func (t *dockerTool) name() string    { return "Docker" }
func (t *dockerTool) version() string { return firstLine(t.daemon, "--version") }
func (t *dockerTool) slow() bool      { return true }

func (t *dockerTool) socket() string { return "unix://" + filepath.Join(t.dir, "docker.sock") }

func (t *dockerTool) args(args ...string) []string {
	return append([]string{"--host", t.socket()}, args...)
}

func (t *dockerTool) setUp(ctx context.Context, ref string) error {
	if err := os.Mkdir(t.dir, 0o700); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(t.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	t.process = exec.Command(t.daemon, "--host", t.socket(),
		"--data-root", filepath.Join(t.dir, "data"), "--exec-root", filepath.Join(t.dir, "exec"),
		"--pidfile", filepath.Join(t.dir, "pid"), "--default-ulimit", "nofile="+hardLimit("Max open files"),
		"--storage-driver", "overlay2")
	t.process.Stdout, t.process.Stderr = log, log
	if err := t.process.Start(); err != nil {
		t.process = nil
		return err
	}
	if err := until(ctx, func() bool { return quiet(ctx, t.program, t.args("info")...) == nil }); err != nil {
		text, _ := os.ReadFile(log.Name()) // without it the error tells less
		return fmt.Errorf("dockerd does not answer: %w\n%s", err, text)
	}
	t.ref = ref
	if err := t.pull(ctx, ref); err != nil {
		return err
	}
	return command(ctx, t.program, t.args("run", "--rm", ref, "/bin/true")...)
}

func (t *dockerTool) run(ctx context.Context, n, atOnce int) error {
	return repeat(n, atOnce, func(int) error {
		return quiet(ctx, t.program, t.args("run", "--rm", t.ref, "/bin/true")...)
	})
}

func (t *dockerTool) pull(ctx context.Context, ref string) error {
	return command(ctx, t.program, t.args("pull", "--quiet", ref)...)
}

func (t *dockerTool) forget(ctx context.Context, ref string) error {
	return command(ctx, t.program, t.args("rmi", "--force", ref)...)
}

// close ends the daemon, which ends its containerd.
func (t *dockerTool) close() error {
	if t.process == nil {
		return nil
	}
	_ = t.process.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	kill := time.AfterFunc(daemonLimit, func() { _ = t.process.Process.Kill() })
	defer kill.Stop()
	err := t.process.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil // how it ends is no business of the measurement
	}
	return err
}

// until waits until ready says yes.
func until(ctx context.Context, ready func() bool) error {
	return untilEvery(ctx, 100*time.Millisecond, ready)
}

// untilEvery is until for those who want to know sooner.
func untilEvery(ctx context.Context, pause time.Duration, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, daemonLimit)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
