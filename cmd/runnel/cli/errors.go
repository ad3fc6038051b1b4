package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// What the program exits with. After a signal it is ExitSignal and the signal's
// number, 130 for Ctrl-C.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
	ExitSignal = 128
)

// ErrFailed says that a command has failed in a way that has been told already.
var ErrFailed = errors.New("execution failed")

// UsageError is a mistake in how the program was called.
type UsageError struct {
	// Lines name the flag, the argument or the field each, and say what would be
	// right.
	Lines []string
}

// Error is one line for each mistake.
func (e *UsageError) Error() string { return strings.Join(e.Lines, "\n") }

// Usagef makes a UsageError of one line.
func Usagef(format string, args ...any) error {
	return &UsageError{Lines: []string{fmt.Sprintf(format, args...)}}
}

// Interrupted is the cause of whatever a signal has put an end to.
type Interrupted struct{ Signal os.Signal }

// Error names the signal.
func (e *Interrupted) Error() string { return "stopped by " + e.Signal.String() }

// ExitCode is what the program exits with after err.
func ExitCode(err error) int {
	var usage *UsageError
	var stop *Interrupted
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &usage):
		return ExitUsage
	case errors.As(err, &stop):
		if n, ok := stop.Signal.(syscall.Signal); ok {
			return ExitSignal + int(n)
		}
	}
	return ExitFailed
}

// told reports whether err needs no words any more.
func told(err error) bool {
	var stop *Interrupted
	return errors.Is(err, ErrFailed) || errors.As(err, &stop)
}

// Prefixed makes a UsageError of err, each line of which gets the name of the
// file it is about.
func Prefixed(name string, err error) error {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, name+": "+strings.TrimSuffix(line, "\n"))
	}
	return &UsageError{Lines: lines}
}
