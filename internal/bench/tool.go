package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// tool runs containers.
type tool interface {
	// name is what the tables say, version what the tool says of itself.
	name() string
	version() string
	// slow tools do a tenth of the work, so that a round has an end.
	slow() bool
	// setUp starts what the tool needs and gets it the image at ref.
	setUp(ctx context.Context, ref string) error
	// run runs /bin/true n times, at most at once.
	run(ctx context.Context, n, atOnce int) error
	// pull gets the image at ref, forget removes it and all of its layers.
	pull(ctx context.Context, ref string) error
	forget(ctx context.Context, ref string) error
	// close ends what setUp started.
	close() error
}

// errUnwanted says that the command line leaves a tool out.
var errUnwanted = errors.New("not asked for")

// find looks a peer's program up, if it is wanted at all.
func find(c config, program string) (string, error) {
	if !slices.Contains(strings.Split(c.tools, ","), program) {
		return "", errUnwanted
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not installed; make bench-setup does it", program)
	}
	return path, nil
}

// command runs a program to its end; what it printed is in the error.
func command(ctx context.Context, name string, args ...string) error {
	_, err := output(ctx, name, args...)
	return err
}

// output is command for what the program prints.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out), nil
}

// quiet runs a program to its end without pipes to read, which would cost.
func quiet(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return nil
}

// firstLine asks a program for its version.
func firstLine(name string, args ...string) string {
	out, err := output(context.Background(), name, args...)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return line
}

// repeat calls one n times with an index, at most at once, and stops starting
// after the first error.
func repeat(n, atOnce int, one func(i int) error) error {
	next, failed := make(chan int), make(chan error, atOnce)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := range next {
				if err := one(i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	err := feed(n, next, failed)
	close(next)
	workers.Wait()
	close(failed)
	return errors.Join(err, <-failed)
}

func feed(n int, next chan<- int, failed <-chan error) error {
	for i := range n {
		select {
		case next <- i:
		case err := <-failed:
			return err
		}
	}
	return nil
}

// write writes a file that only root may read.
func write(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// hardLimit is how far this process may raise a limit, as /proc/self/limits
// names it.
func hardLimit(name string) string {
	text, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return "1024"
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if fields := strings.Fields(rest); len(fields) > 1 {
				return fields[1]
			}
		}
	}
	return "1024"
}
