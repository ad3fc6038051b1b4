package main

import (
	"context"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/doctor"
)

// env is everything of the outside world that the program uses, so that a test
// runs it without a process.
type env struct {
	cli.Env
	// Args are the arguments after the program's name.
	Args []string
	// Open brings up a host to run executions on.
	Open func(ctx context.Context, cfg hostConfig) (host, error)
	// Examine is what the doctor does; nil examines this host.
	Examine func(ctx context.Context) []doctor.Finding
}
