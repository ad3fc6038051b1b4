package main

import (
	"context"
	"io"
	"os"

	"runnel/cmd/runnel/doctor"
)

// env is everything of the outside world that a command uses, so that a test
// runs one without a process.
type env struct {
	// Args are the arguments after the program's name.
	Args  []string
	Stdin io.Reader
	// Stdout takes results, Stderr what is said about them.
	Stdout, Stderr io.Writer
	// Screen says that Stderr is a terminal that can redraw a line.
	Screen bool
	// Signals receives the signals that ask to stop; nil never does.
	Signals <-chan os.Signal
	// Open brings up a host to run executions on.
	Open func(ctx context.Context, cfg hostConfig) (host, error)
	// Examine is what the doctor does; nil examines this host.
	Examine func(ctx context.Context) []doctor.Finding
}
