package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// What the program exits with. After a signal it is 128 and the signal's
// number, 130 for Ctrl-C.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitSignal = 128
)

// usageError is a mistake in how the program was called. Each line names the
// flag, the argument or the field and says what would be right.
type usageError struct{ lines []string }

func (e *usageError) Error() string { return strings.Join(e.lines, "\n") }

// usagef makes a usageError of one line.
func usagef(format string, args ...any) error {
	return &usageError{lines: []string{fmt.Sprintf(format, args...)}}
}

var (
	// errFailed says that the execution has failed, which has been told already.
	errFailed = errors.New("execution failed")
	// errNotRoot says what "runnel run" needs before anything else.
	errNotRoot = errors.New("cannot run containers without root: try sudo")
	// errOutput is why an execution ends whose output nobody can read.
	errOutput = errors.New("the output cannot be written")
	// errUnread is why output is lost that nobody reads.
	errUnread = errors.New("the output is not read")
)

// interrupted is the cause of whatever a signal has put an end to.
type interrupted struct{ signal os.Signal }

func (e *interrupted) Error() string { return "stopped by " + e.signal.String() }

// exitCode is what the program exits with after err.
func exitCode(err error) int {
	var usage *usageError
	var stop *interrupted
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &stop):
		if n, ok := stop.signal.(syscall.Signal); ok {
			return exitSignal + int(n)
		}
	}
	return exitFailed
}

// told reports whether err needs no words any more.
func told(err error) bool {
	var stop *interrupted
	return errors.Is(err, errFailed) || errors.As(err, &stop)
}
