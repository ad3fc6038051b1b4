// Package cli is what the commands of runnel share: the streams they speak on,
// mistakes in how they were called, what the program exits with, and how the
// values of flags are read. It needs no privilege and touches nothing but the
// streams it is given.
package cli

import (
	"io"
	"os"
)

// Env is everything of the outside world that a command uses, so that a test
// runs one without a process.
type Env struct {
	Stdin io.Reader
	// Stdout takes results, Stderr what is said about them.
	Stdout, Stderr io.Writer
	// Screen says that Stderr is a terminal that can redraw a line.
	Screen bool
	// Columns is how wide that terminal is; 0 if nobody knows.
	Columns int
	// Display says that Stdout is a terminal, and Color that it shows colours.
	Display, Color bool
	// Unicode says that the terminals' character set has more than ASCII.
	Unicode bool
	// Attended says that a person reads Stderr and types on Stdin.
	Attended bool
	// Signals receives the signals that ask to stop; nil never does.
	Signals <-chan os.Signal
	// Getenv reads an environment variable; nil finds none.
	Getenv func(name string) string
}

// Variable is the value of an environment variable, "" if it is not set.
func (e Env) Variable(name string) string {
	if e.Getenv == nil {
		return ""
	}
	return e.Getenv(name)
}
