package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"runnel/internal/inside/look"
)

// leave starts a process that waits for a minute, prints its number and ends.
func leave(context.Context, url.Values) (any, error) {
	cmd := exec.Command("/proc/self/exe", "signals", "for=1m", "until=99")
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start what is left: %w", err)
	}
	return cmd.Process.Pid, nil
}

// orphan has a child leave one of its own behind, and tells whose child that is
// then, what it is when it has ended, and whether this process can wait for it.
func orphan(ctx context.Context, _ url.Values) (any, error) {
	out, err := exec.CommandContext(ctx, "/proc/self/exe", "leave").Output()
	if err != nil {
		return nil, fmt.Errorf("run the child: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		return nil, err
	}
	alive := processOf(pid)
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		return nil, fmt.Errorf("end what was left: %w", err)
	}
	// It ends soon. Whoever reaps it has some time to do so.
	ended := processOf(pid)
	for begin := time.Now(); time.Since(begin) < 2*time.Second && ended.State != "Z" && ended.PID != 0; ended = processOf(pid) {
		<-time.After(10 * time.Millisecond)
	}
	<-time.After(100 * time.Millisecond)
	ended = processOf(pid)
	_, err = unix.Wait4(pid, nil, unix.WNOHANG, nil)
	return map[string]any{"me": os.Getpid(), "parent": alive.PPID, "ended": ended.State, "waited": outcome(err)}, nil
}

// processOf is what there is to see of one process.
func processOf(pid int) look.Process {
	for _, p := range look.Processes() {
		if p.PID == pid {
			return p
		}
	}
	return look.Process{}
}
