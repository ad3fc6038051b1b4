package contract_test

import (
	"syscall"
	"testing"
	"time"

	"runnel/contract"
)

// contract: JOB-8 JOB-12 JOB-13 JOB-14 JOB-15 JOB-17
func TestHowAnExitIsReported(t *testing.T) {
	t.Parallel()
	const aborted = "Container terminated on signal "
	for _, tt := range []struct {
		exit             contract.Exit
		ok               bool
		code             int
		message          string
		short, systemLog string
	}{
		{contract.Exit{}, true, 0, "", "exit 0", "Container called exit(0)."},
		{contract.Exit{Code: 1}, false, 10, "The container exited with an error.", "exit 1", "Container called exit(1)."},
		{contract.Exit{Code: 255}, false, 10, "The container exited with an error.", "exit 255", "Container called exit(255)."},
		{contract.Exit{Signal: 4}, false, 10, aborted + "4.", "signal 4 (SIGILL)", aborted + "4."},
		{contract.Exit{Signal: 7}, false, 10, aborted + "7.", "signal 7 (SIGBUS)", aborted + "7."},
		{contract.Exit{Signal: 9}, false, 10, aborted + "9.", "signal 9 (SIGKILL)", aborted + "9."},
		{contract.Exit{Signal: 11}, false, 10, aborted + "11.", "signal 11 (SIGSEGV)", aborted + "11."},
		{contract.Exit{Signal: 15}, false, 10, aborted + "15.", "signal 15 (SIGTERM)", aborted + "15."},
		{contract.Exit{Signal: 40}, false, 10, aborted + "40.", "signal 40 (signal 40)", aborted + "40."},
		{contract.Exit{Signal: 9, OOMKilled: true}, false, 10, "The configured memory limit was reached.", "signal 9 (SIGKILL), memory limit", aborted + "9."},
		{contract.Exit{Code: 7, TimedOut: true}, false, 4, "The task reached its maximum timeout.", "exit 7, timeout", "Container called exit(7)."},
		{contract.Exit{TimedOut: true}, false, 4, "The task reached its maximum timeout.", "exit 0, timeout", "Container called exit(0)."},
		{contract.Exit{Signal: 15, Cancelled: true}, false, 1, "The task was cancelled.", "signal 15 (SIGTERM), cancelled", aborted + "15."},
	} {
		code, message := tt.exit.Status()
		if tt.exit.Succeeded() != tt.ok || code != tt.code || message != tt.message {
			t.Errorf("%+v: succeeded %v, status %d %q", tt.exit, tt.exit.Succeeded(), code, message)
		}
		if got := tt.exit.String(); got != tt.short {
			t.Errorf("%+v reads %q, want %q", tt.exit, got, tt.short)
		}
		if got := tt.exit.ExitLine(); got != tt.systemLog {
			t.Errorf("%+v logs %q, want %q", tt.exit, got, tt.systemLog)
		}
	}
	lost := contract.Exit{Lost: true}
	if code, message := lost.Status(); lost.Succeeded() || code != 10 || message == "" || lost.String() != "lost" {
		t.Errorf("a lost attempt: %v, %d %q", lost, code, message)
	}
}

// contract: JOB-15
func TestSignalNamesAreLinuxs(t *testing.T) {
	t.Parallel()
	for number, want := range map[int]string{
		1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
		11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM", 31: "SIGSYS", 64: "signal 64",
	} {
		if got := contract.SignalName(syscall.Signal(number)); got != want {
			t.Errorf("SignalName(%d) = %q, want %q", number, got, want)
		}
	}
}

// contract: JOB-13 JOB-16 FS-2
func TestPlatformLogLines(t *testing.T) {
	t.Parallel()
	failure := func(e contract.Exit) string {
		_, message := e.Status()
		return e.FailureLine("j-abcde-task0", message)
	}
	for want, got := range map[string]string{
		"Terminating task because it has reached the maximum timeout of 600 seconds.":                                  contract.TimeoutLine(10 * time.Minute),
		"Memory limit of 512 MiB exceeded with 514 MiB used.":                                                          contract.MemoryLine(512<<20, 514<<20+1),
		"Task j-abcde-task0 failed with exit code: 1 and message: The container exited with an error.":                 failure(contract.Exit{Code: 1}),
		"Task j-abcde-task0 failed with message: The configured memory limit was reached.":                             failure(contract.Exit{Signal: 9, OOMKilled: true}),
		"Task j-abcde-task0 failed with exit code: 7 and message: The task reached its maximum timeout.":               failure(contract.Exit{Code: 7, TimedOut: true}),
		"Task j-abcde-task0 failed with message: The end of the container was not seen; the attempt counts as failed.": failure(contract.Exit{Code: 7, Lost: true}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
