package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// envIsolated marks a process that runs in the namespaces Main made. It is
// inherited on purpose: a test that executes its own binary again wants the
// same namespaces, not new ones.
const envIsolated = "RUNNEL_TEST_ISOLATED"

// Main runs the tests of m and returns the exit code for os.Exit. It is called
// from TestMain and from nowhere else.
//
// As root it executes the test binary once more in fresh mount and network
// namespaces, with every mount private and the loopback interface up, so that
// no test touches the links or the mounts of the host, and packages tested at
// the same time do not disturb each other. Arguments, environment, standard
// streams, signals and the exit code pass through. /sys keeps showing the
// host's network devices; read /proc/thread-self/net instead.
//
// Without root it only runs the tests. What they share in suites ends with them.
func Main(m *testing.M, suites ...*Suite) int {
	defer removeBuilt()
	if os.Geteuid() != 0 {
		return run(m, suites)
	}
	if os.Getenv(envIsolated) == "" {
		return runIsolated()
	}
	if err := settle(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		return 2
	}
	return run(m, suites)
}

// run runs the tests, and ends what they share.
func run(m *testing.M, suites []*Suite) int {
	code := m.Run()
	for _, s := range suites {
		code = max(code, s.End())
	}
	return code
}

// isolated reports whether this process may change links and mounts freely.
func isolated() bool { return os.Getenv(envIsolated) != "" }

// runIsolated executes this binary again in namespaces of its own and returns
// its exit code.
func runIsolated() int {
	// The death signal fires when the thread that started the child ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.Command("/proc/self/exe")
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), envIsolated+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv: run the tests in namespaces of their own:", err)
		return 2
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // it may have ended by itself
		case err := <-done:
			return exitCode(cmd.ProcessState, err)
		}
	}
}

// exitCode is what a shell would report of a child.
func exitCode(state *os.ProcessState, err error) int {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "testenv: wait for the tests:", err)
		return 2
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

// settle makes the fresh namespaces usable: private mounts, so that nothing
// propagates to the host or from it, and a loopback interface that is up.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket to set links up: %w", err)
	}
	defer unix.Close(sock)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(sock, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}
