package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: broken [ROW...]\nShow that the tests of rows fail on builds that break them; all rows if none is named.")
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "broken:", err)
		os.Exit(1)
	}
}

// errUnnoticed says that tests pass on builds that break what they guard.
var errUnnoticed = errors.New("a broken build passes tests that are to guard against it")

// run tries each row, and fails if a broken build went unnoticed.
func run(ctx context.Context, names []string) error {
	fsys := os.DirFS(".")
	if len(names) == 0 {
		var err error
		if names, err = rows(fsys); err != nil {
			return err
		}
	}
	c, err := copyCheckout(ctx)
	if err != nil {
		return err
	}
	defer c.remove()
	noticed := true
	for _, row := range names {
		b, err := readBreakage(fsys, row)
		if err != nil {
			return err
		}
		passed, err := c.try(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
		for _, g := range passed {
			fmt.Printf("%-7s UNNOTICED by %s %s: %s\n", row, g.pkg, g.name, b.lost)
			noticed = false
		}
		if len(passed) == 0 {
			fmt.Printf("%-7s noticed: %s\n", row, b.lost)
		}
	}
	if !noticed {
		return errUnnoticed
	}
	return nil
}
