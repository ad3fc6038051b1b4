package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// config is what the command line says.
type config struct {
	// cache keeps the kernel between runs; work holds what this run makes.
	cache, work string
	// match selects packages whose import path contains one of these; empty
	// selects all.
	match []string
	// run and verbose are handed to the tests.
	run     string
	verbose bool
	// accel are the accelerators to try in order.
	accel []string
	// memory is in MiB.
	memory int
	// limit bounds the whole run of the machine, suite that of one suite.
	limit, suite time.Duration
}

func main() {
	c := flags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, c)
	switch {
	case errors.Is(err, errTests):
		os.Exit(1) // the report has told what failed
	case err != nil:
		fmt.Fprintln(os.Stderr, "cannot do the VM run:", err)
		os.Exit(1)
	}
}

func flags() config {
	var c config
	var match, accel string
	flag.StringVar(&c.cache, "cache", ".cache/vm", "keep the kernel in `dir`")
	flag.StringVar(&match, "packages", "", "run only packages whose path contains one of `a,b`")
	flag.StringVar(&c.run, "run", "", "run only tests that match `regexp`")
	flag.BoolVar(&c.verbose, "v", false, "print every line of the tests")
	flag.StringVar(&accel, "accel", "", "QEMU accelerators to try, `kvm,tcg`; by default what the processor offers")
	flag.IntVar(&c.memory, "memory", 3072, "memory of the machine in `MiB`")
	flag.DurationVar(&c.limit, "timeout", 30*time.Minute, "end the machine after `duration`")
	flag.DurationVar(&c.suite, "suite-timeout", 12*time.Minute, "end one package's tests after `duration`")
	flag.Parse()
	c.work = filepath.Join(c.cache, "run")
	if match != "" {
		c.match = strings.Split(match, ",")
	}
	c.accel = accelerators(accel)
	return c
}

// run prepares the machine, boots it and judges what it did.
func run(ctx context.Context, c config) error {
	if err := os.MkdirAll(c.work, 0o755); err != nil {
		return err
	}
	k, err := fetchKernel(ctx, filepath.Join(c.cache, "kernel"))
	if err != nil {
		return fmt.Errorf("fetch the kernel: %w", err)
	}
	m, err := findModule(ctx)
	if err != nil {
		return err
	}
	packages, err := m.privilegedPackages(ctx, c.match)
	if err != nil {
		return err
	}
	image, err := layOut(ctx, c, m, k, packages)
	if err != nil {
		return err
	}
	return bootAndReport(ctx, c, image, packages)
}

// bootAndReport boots with one accelerator after the other until one brings
// the guest up.
func bootAndReport(ctx context.Context, c config, image machine, packages []testPackage) error {
	log := filepath.Join(c.work, "tests.log")
	for i, accel := range c.accel {
		r, err := boot(ctx, c, image, accel, log)
		if !r.up && i+1 < len(c.accel) && ctx.Err() == nil {
			fmt.Printf("the machine does not come up with %s, trying %s\n", accel, c.accel[i+1])
			continue
		}
		r.print(os.Stdout, packages, log)
		if err != nil {
			return fmt.Errorf("%w; the kernel's console is in %s", err, image.console)
		}
		return r.verdict(packages)
	}
	return errors.New("no accelerator to boot with")
}
