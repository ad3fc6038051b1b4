package net

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary executes itself to be what a test wants to kill. Its
// environment says which role it plays.
const (
	envRole = "RUNNEL_TEST_ROLE"
	// roleDaemon sets the network up and attaches an instance, or, if envHeld
	// names the namespace of one, takes both over, and attaches another. Its
	// output tells each step, and in the end the descriptor of the namespace.
	roleDaemon = "daemon"
	envHeld    = "RUNNEL_TEST_HELD"
	// envLast is the number of the step before which the daemon is killed.
	envLast = "RUNNEL_TEST_LAST"
	// roleInstance holds a conversation with the server that envServer names,
	// and writes a byte for each beat of it.
	roleInstance = "instance"
	envServer    = "RUNNEL_TEST_SERVER"
)

// play plays a role and returns the exit status.
func play(role string) int {
	part := map[string]func() error{roleDaemon: playDaemon, roleInstance: playInstance}[role]
	if err := part(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func playDaemon() error {
	ctx := context.Background()
	n := New(Config{Name: "test01"})
	last, _ := strconv.Atoi(os.Getenv(envLast))
	done := 0
	n.beforeStep = func(step string) error {
		done++
		fmt.Println("step", done, step)
		if done == last {
			return errors.Join(unix.Kill(os.Getpid(), unix.SIGKILL), unix.Pause())
		}
		return nil
	}
	var a *Attachment
	err := n.Resume(ctx)
	if held := os.Getenv(envHeld); held == "" && err == nil {
		a, err = n.Attach(ctx)
	} else if err == nil {
		a, err = takeOverAt(ctx, n, held)
	}
	if err != nil {
		return err
	}
	fmt.Println("attached", a.Namespace().Fd())
	_, err = io.Copy(io.Discard, os.Stdin) // until the test lets go
	return err
}

// takeOverAt goes through all that a daemon does when it comes back.
func takeOverAt(ctx context.Context, n *Network, path string) (*Attachment, error) {
	ns, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	a, err := n.Reattach(ctx, ns)
	if err != nil {
		return nil, err
	}
	if _, err := n.Attach(ctx); err != nil {
		return nil, err
	}
	return a, n.Prune(ctx)
}

func playInstance() error {
	c, err := stdnet.DialTimeout("tcp4", os.Getenv(envServer), 10*time.Second)
	if err != nil {
		return err
	}
	return converse(c, func() { fmt.Print(".") })
}

// cast starts this binary in a role; it is killed with the test.
func cast(t *testing.T, role string, env ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(append(os.Environ(), envRole+"="+role), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill9(cmd) })
	return cmd, out
}

// kill9 kills a process and waits for its end, which may have come before.
func kill9(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// daemon starts one and waits until it has attached its instance, or has ended.
func daemon(t *testing.T, env ...string) (cmd *exec.Cmd, steps []string, namespace string) {
	t.Helper()
	cmd, out := cast(t, roleDaemon, env...)
	for in := bufio.NewScanner(out); in.Scan(); {
		if fd, ok := strings.CutPrefix(in.Text(), "attached "); ok {
			return cmd, steps, fmt.Sprintf("/proc/%d/fd/%s", cmd.Process.Pid, fd)
		}
		steps = append(steps, in.Text())
	}
	return cmd, steps, ""
}
