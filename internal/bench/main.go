package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// config is what the command line says.
type config struct {
	bin, dir string
	rounds   int
	// sequential and parallel are counts of tasks; the slow tools do a tenth.
	sequential, parallel int
	workers              int
	// cpu is what each of Runnel's tasks gets, so that workers of them fit.
	cpu   string
	only  string
	tools string
	// stored is how many executions are in the database of a full root.
	stored int
	// instances is how many are idle, or under load, at a time; turn how long a
	// proxy has its turn.
	instances int
	turn      time.Duration
}

// wants reports whether a scenario or a trial is to be measured.
func (c config) wants(name string) bool { return slices.Contains(strings.Split(c.only, ","), name) }

// compares reports whether the peers are wanted at all.
func (c config) compares() bool {
	return slices.ContainsFunc(strings.Split(peerScenarios, ","), c.wants)
}

// servesRequests reports whether services are wanted.
func (c config) servesRequests() bool {
	return slices.ContainsFunc(strings.Split(serviceTrials, ","), c.wants)
}

// server is the program of services.
func (c config) server() string { return filepath.Join(c.bin, "benchserver") }

// What can be measured: beside the peers, of the daemon, and of services.
const (
	peerScenarios = "sequential,parallel,pull"
	daemonTrials  = "submit,watch,durable,stored,adopt"
	serviceTrials = "zero,burst,proxy,bulk,many,handover"
)

func main() {
	c := flags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := isolated(func() error { return run(ctx, c) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot measure:", err)
		code = 1
	}
	os.Exit(code)
}

func flags() config {
	var c config
	flag.StringVar(&c.bin, "bin", "bin", "where runnel and runnel-shim are")
	flag.StringVar(&c.dir, "dir", "/var/tmp/runnel-bench", "`directory` to work in; it must not exist, and is removed")
	flag.IntVar(&c.rounds, "rounds", 3, "how often every tool has its turn")
	flag.IntVar(&c.sequential, "sequential", 200, "tasks one after another; Docker and Podman do a tenth")
	flag.IntVar(&c.parallel, "parallel", 1000, "tasks in parallel; Docker and Podman do a tenth")
	flag.IntVar(&c.workers, "workers", 4, "tasks at once")
	flag.StringVar(&c.cpu, "cpu", "0.5", "CPU limit of Runnel's tasks; workers of them must fit the host")
	flag.StringVar(&c.only, "only", peerScenarios+","+daemonTrials+","+serviceTrials, "what to measure")
	flag.IntVar(&c.stored, "stored", 100, "executions of 1,000 tasks in the daemon's database")
	flag.IntVar(&c.instances, "instances", 100, "instances of a service, idle or under load")
	flag.DurationVar(&c.turn, "turn", 4*time.Second, "how long each proxy works for")
	flag.StringVar(&c.tools, "tools", "runnel,runc,podman,docker", "what to measure with")
	flag.Parse()
	return c
}

// run measures everything in one directory, and removes it.
func run(ctx context.Context, c config) (err error) {
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	groups := topGroups()
	defer func() { removeNewGroups(groups) }()
	work, err := prepare(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, work.close()) }()
	printFacts(os.Stdout, c.rounds, work.tools)
	for _, s := range scenarios(c, work) {
		if !c.wants(s.name) {
			continue
		}
		if err := measure(ctx, os.Stdout, c.rounds, s, work.tools); err != nil {
			return err
		}
	}
	return measureDaemon(ctx, os.Stdout, c, work.registry.ref)
}

// workshop is what a run has standing.
type workshop struct {
	tools    []tool
	registry *registry
}

func (w *workshop) close() error {
	var errs []error
	for _, t := range w.tools {
		errs = append(errs, t.close())
	}
	if w.registry != nil {
		errs = append(errs, w.registry.close())
	}
	return errors.Join(errs...)
}

// prepare makes the images, starts the registry and sets the tools up.
func prepare(ctx context.Context, c config) (_ *workshop, err error) {
	w := &workshop{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.registry, err = startRegistry(ctx, filepath.Join(c.dir, "registry")); err != nil {
		return nil, fmt.Errorf("start the registry: %w", err)
	}
	small, err := smallImage()
	if err != nil {
		return nil, fmt.Errorf("make the small image: %w", err)
	}
	if err := w.registry.push(ctx, smallName, small); err != nil {
		return nil, err
	}
	if c.wants("pull") {
		fmt.Fprintln(os.Stderr, "making the large image")
		large, err := largeImage(small)
		if err != nil {
			return nil, fmt.Errorf("make the large image: %w", err)
		}
		if err := w.registry.push(ctx, largeName, large); err != nil {
			return nil, err
		}
	}
	if c.servesRequests() {
		serves, err := serverImage(small, c.server())
		if err != nil {
			return nil, fmt.Errorf("make the image of the service: %w", err)
		}
		if err := w.registry.push(ctx, serverName, serves); err != nil {
			return nil, err
		}
	}
	if !c.compares() {
		return w, nil
	}
	for _, make := range []func(config) (tool, error){newRunnel, newRunc, newPodman, newDocker} {
		t, err := make(c)
		if errors.Is(err, errUnwanted) {
			continue
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "left out:", err)
			continue
		}
		if err := t.setUp(ctx, w.registry.ref(smallName)); err != nil {
			return nil, fmt.Errorf("set %s up: %w", t.name(), errors.Join(err, t.close()))
		}
		w.tools = append(w.tools, t)
	}
	return w, nil
}
