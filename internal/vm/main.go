package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"runnel/internal/vm/wire"
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
	// bin is where the programs are that the tests run.
	bin string
	// accel are the accelerators to try in order.
	accel []string
	// memory is in MiB.
	memory int
	// limit bounds the whole run of the machine, suite that of one suite.
	limit, suite time.Duration
	// silence is how long the guest may say nothing, not even that it lives.
	silence time.Duration
}

func main() {
	c := flags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, c)
	switch {
	case err == nil:
	case errors.Is(err, errTests):
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(1)
	case errors.Is(err, errMachine):
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "cannot do the VM run:", err)
		os.Exit(2)
	}
}

func flags() config {
	var c config
	var match, accel string
	flag.StringVar(&c.cache, "cache", ".cache/vm", "keep the kernel in `dir`")
	flag.StringVar(&c.bin, "bin", "bin", "take the programs from `dir`")
	flag.StringVar(&match, "packages", "", "run only packages whose path contains one of `a,b`")
	flag.StringVar(&c.run, "run", "", "run only tests that match `regexp`")
	flag.BoolVar(&c.verbose, "v", false, "print every line of the tests")
	flag.StringVar(&accel, "accel", "", "QEMU accelerators to try, `kvm,tcg`; by default what the processor offers")
	flag.IntVar(&c.memory, "memory", 3072, "memory of the machine in `MiB`")
	flag.DurationVar(&c.limit, "timeout", time.Hour, "end the machine after `duration`")
	flag.DurationVar(&c.suite, "suite-timeout", 45*time.Minute, "end one package's tests after `duration`")
	flag.DurationVar(&c.silence, "silence", 12*wire.BeatEvery, "give the machine up that has said nothing for `duration`, and boot it again")
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
	unlock, err := lock(c.work)
	if err != nil {
		return err
	}
	defer unlock()
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

// maxFreezes is how often a machine that has frozen is booted again.
const maxFreezes = 2

// bootAndReport has everything run and judges it.
func bootAndReport(ctx context.Context, c config, image machine, packages []testPackage) error {
	log := filepath.Join(c.work, "tests.log")
	var shown io.Writer
	if c.verbose {
		shown = os.Stdout
	}
	r := newReport(shown)
	died := bootUntilDone(ctx, c, image, log, r)
	err := errors.Join(r.print(os.Stdout, packages), r.verdict(packages, died))
	if err == nil {
		fmt.Println("vm: all output is in", log)
		return nil
	}
	if died != nil {
		printTail(os.Stdout, image.console)
	}
	return errors.Join(err, keepLogs(c, log, image.console))
}

// bootUntilDone boots with one accelerator after the other until one brings
// the guest up, and again where it freezes, for what is left to run. The error
// is that of the last boot.
func bootUntilDone(ctx context.Context, c config, image machine, log string, r *report) error {
	for accels, freezes := c.accel, 0; ; {
		died := boot(ctx, c, image, accels[0], log, r)
		switch {
		case died == nil || ctx.Err() != nil:
			return died
		case !r.up && len(accels) > 1:
			fmt.Printf("vm: no machine with %s, trying %s: %v\n", accels[0], accels[1], died)
			accels = accels[1:]
		case errors.Is(died, errSilent) && freezes < maxFreezes:
			fmt.Printf("vm: the machine stood still%s, booting again: %v\n", r.at(), died)
			freezes++
		default:
			return died
		}
		if err := keepLogs(c, log, image.console); err != nil {
			return errors.Join(died, err)
		}
	}
}
