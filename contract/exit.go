package contract

import (
	"fmt"
	"syscall"
	"time"
)

// Exit is how an instance's main process ended, as the kernel and the cgroup
// tell it.
type Exit struct {
	// Code is the exit status, 0 to 255; meaningless when Signal is set.
	Code int
	// Signal ended the process; 0 if it exited by itself.
	Signal syscall.Signal
	// OOMKilled says that the memory limit ended the instance.
	OOMKilled bool
	// TimedOut says that the platform stopped the instance at its timeout.
	TimedOut bool
	// Cancelled says that the platform stopped the instance on request.
	Cancelled bool
	// Lost says that nobody saw the end: the host or its keeper went away.
	Lost bool
}

// Succeeded reports whether the attempt counts as a success: exit status 0,
// and the platform had no reason to end it.
func (e Exit) Succeeded() bool {
	return e.Code == 0 && e.Signal == 0 && !e.OOMKilled && !e.TimedOut && !e.Cancelled && !e.Lost
}

// Codes of google.rpc.Status that an attempt's result carries.
// Source: observed Task.status.lastAttemptResult of Cloud Run jobs.
const (
	StatusOK               = 0
	StatusCancelled        = 1
	StatusDeadlineExceeded = 4
	StatusAborted          = 10
)

// Reason is why an attempt did not succeed.
type Reason string

// The reasons, in the order of their weight: where several apply, the first one
// is told.
const (
	// ReasonNone is that of a success.
	ReasonNone      Reason = ""
	ReasonCancelled Reason = "cancelled"
	ReasonTimeout   Reason = "timeout"
	ReasonMemory    Reason = "memory"
	ReasonLost      Reason = "lost"
	ReasonSignal    Reason = "signal"
	ReasonExit      Reason = "exit"
)

// Reason tells why the attempt did not succeed.
func (e Exit) Reason() Reason {
	switch {
	case e.Cancelled:
		return ReasonCancelled
	case e.TimedOut:
		return ReasonTimeout
	case e.OOMKilled:
		return ReasonMemory
	case e.Lost:
		return ReasonLost
	case e.Signal != 0:
		return ReasonSignal
	case e.Code != 0:
		return ReasonExit
	}
	return ReasonNone
}

// Status is the code and the text that an attempt's result carries.
func (e Exit) Status() (code int, message string) {
	switch e.Reason() {
	case ReasonCancelled:
		return StatusCancelled, "The task was cancelled."
	case ReasonTimeout:
		return StatusDeadlineExceeded, "The task reached its maximum timeout."
	case ReasonMemory:
		return StatusAborted, "The configured memory limit was reached."
	case ReasonLost:
		return StatusAborted, "The end of the container was not seen; the attempt counts as failed."
	case ReasonSignal:
		return StatusAborted, fmt.Sprintf("Container terminated on signal %d.", int(e.Signal))
	case ReasonExit:
		return StatusAborted, "The container exited with an error."
	}
	return StatusOK, ""
}

// String is the end in a few words, for a table: "exit 0", "signal 9 (SIGKILL)",
// with the reason where the platform had one.
func (e Exit) String() string {
	if e.Lost {
		return "lost"
	}
	s := fmt.Sprintf("exit %d", e.Code)
	if e.Signal != 0 {
		s = fmt.Sprintf("signal %d (%s)", int(e.Signal), SignalName(e.Signal))
	}
	switch e.Reason() {
	case ReasonCancelled:
		s += ", cancelled"
	case ReasonTimeout:
		s += ", timeout"
	case ReasonMemory:
		s += ", memory limit"
	}
	return s
}

// SignalName names the signals of the contract's table, and others by number.
// Source: Cloud Run container runtime contract, "Exit codes".
func SignalName(s syscall.Signal) string {
	switch s {
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGINT:
		return "SIGINT"
	case syscall.SIGQUIT:
		return "SIGQUIT"
	case syscall.SIGILL:
		return "SIGILL"
	case syscall.SIGABRT:
		return "SIGABRT"
	case syscall.SIGBUS:
		return "SIGBUS"
	case syscall.SIGFPE:
		return "SIGFPE"
	case syscall.SIGKILL:
		return "SIGKILL"
	case syscall.SIGSEGV:
		return "SIGSEGV"
	case syscall.SIGPIPE:
		return "SIGPIPE"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGSYS:
		return "SIGSYS"
	}
	return fmt.Sprintf("signal %d", int(s))
}

// Lines that the platform adds to an instance's log.
// Source: Cloud Logging, run.googleapis.com/varlog/system entries.

// ExitLine tells how a container ended.
func (e Exit) ExitLine() string {
	if e.Signal != 0 {
		return fmt.Sprintf("Container terminated on signal %d.", int(e.Signal))
	}
	return fmt.Sprintf("Container called exit(%d).", e.Code)
}

// FailureLine tells why task, named in full, failed for good: message is that
// of Status, or why there is no end to speak of. An exit code is named where the
// program chose one.
// Source: observed conditions of failed executions.
func (e Exit) FailureLine(task, message string) string {
	if e.Code == 0 || e.Signal != 0 || e.Lost {
		return fmt.Sprintf("Task %s failed with message: %s", task, message)
	}
	return fmt.Sprintf("Task %s failed with exit code: %d and message: %s", task, e.Code, message)
}

// TimeoutLine announces that a task is ended at its timeout.
func TimeoutLine(timeout time.Duration) string {
	return fmt.Sprintf("Terminating task because it has reached the maximum timeout of %d seconds.", int64(timeout/time.Second))
}

// MemoryLine tells that an instance was ended by its memory limit; used is the
// highest usage seen.
func MemoryLine(limit, used Bytes) string {
	return fmt.Sprintf("Memory limit of %d MiB exceeded with %d MiB used.", limit/MiB, used/MiB)
}
