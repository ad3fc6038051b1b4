// Command runnel runs Cloud Run services and jobs on one Linux host, without
// Docker and without Kubernetes.
//
// "runnel serve" is the daemon, and most commands are its clients. "runnel run"
// brings up what a job needs (image store, network, metadata server, the shim
// that keeps the containers), runs one execution, shows what it prints and takes
// everything down again. "runnel doctor" says what the host lacks. These three
// need root for what they do to the host.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"runnel/cmd/runnel/cli"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, stopSignals()...)
	// A reader that goes away (runnel run ... | head) must not end the process
	// before it has stopped the tasks: with this, writing returns an error.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Exit(run(env{
		Env:  cli.System(os.Stdin, os.Stdout, os.Stderr, os.Getenv, signals),
		Args: os.Args[1:],
		Open: openHost,
	}))
}

// stopSignals are the signals that ask to stop. A shell's background job and
// what runs under nohup ignore some of them from the start, and are to go on
// ignoring them.
func stopSignals() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}
