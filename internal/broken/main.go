package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
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

// What keeps tests from being known to guard their rows.
var (
	errUnnoticed = errors.New("a broken build passes tests that are to guard against it")
	errUnsound   = errors.New("tests fail without anything being broken, and so would show nothing")
)

// run tries each row, and fails if a broken build went unnoticed.
func run(ctx context.Context, names []string) error {
	breakages, err := choose(os.DirFS("."), names)
	if err != nil {
		return err
	}
	c, err := copyCheckout(ctx)
	if err != nil {
		return err
	}
	defer c.remove()
	if err := checkSound(ctx, c, breakages); err != nil {
		return err
	}
	noticed := true
	for _, b := range breakages {
		passed, err := c.try(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", b.row, err)
		}
		for _, g := range passed {
			fmt.Printf("%-7s UNNOTICED by %s: %s\n", b.row, g, b.lost)
			noticed = false
		}
		if len(passed) == 0 {
			fmt.Printf("%-7s noticed: %s\n", b.row, b.lost)
		}
	}
	if !noticed {
		return errUnnoticed
	}
	return nil
}

// choose reads the broken builds of the named rows, or of all.
func choose(fsys fs.FS, names []string) (all []breakage, err error) {
	known, err := rows(fsys)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = known
	}
	for _, row := range names {
		if !slices.Contains(known, row) {
			return nil, fmt.Errorf("no broken build of row %q is described: want one of %s", row, strings.Join(known, " "))
		}
		b, err := readBreakage(fsys, row)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// checkSound looks that the tests pass while nothing is broken.
func checkSound(ctx context.Context, c *checkout, breakages []breakage) error {
	fmt.Println("the tests are run on the build as it is")
	if err := c.build(ctx); err != nil {
		return err
	}
	seen := map[guard]bool{}
	sound := true
	for _, b := range breakages {
		for _, g := range b.tests {
			if seen[g] {
				continue
			}
			seen[g] = true
			fails, err := c.fails(ctx, g)
			if err != nil {
				return fmt.Errorf("%s: %w", b.row, err)
			}
			if fails {
				fmt.Printf("%-7s UNSOUND: %s fails as it is\n", b.row, g)
				sound = false
			}
		}
	}
	if !sound {
		return errUnsound
	}
	fmt.Printf("%d tests pass as it is; now each build is broken\n", len(seen))
	return nil
}
