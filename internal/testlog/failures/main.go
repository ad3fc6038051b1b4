// Command failures ends a long run of tests with what matters of it: it reads what
// go test -v has printed, and tells which tests failed, each with the last lines
// that it printed itself. It prints nothing, and exits with status 0, if none did.
package main

import (
	"fmt"
	"os"

	"runnel/internal/testlog"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: failures LOG")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cannot tell what failed:", err)
		os.Exit(2)
	}
}

// run prints what failed by the log in the named file.
func run(name string) error {
	log, err := os.Open(name)
	if err != nil {
		return err
	}
	defer log.Close()
	var r testlog.Reader
	if err := r.Read(log); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return r.Tell(os.Stdout)
}
