package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Sizes of what the daemon is measured with, as the goals have them.
const (
	// greatTasks is the size of the execution that is submitted and watched.
	greatTasks = 10_000
	// storedTasks is how many each of the stored executions has.
	storedTasks = 1000
	// mostAdopted is how many running instances are taken over, if they fit.
	mostAdopted = 50
	// leastCPU is the smallest limit that Cloud Run offers, in thousandths.
	leastCPU = 80
)

// trial is one question about the daemon. Each gets a daemon with an empty root.
type trial struct {
	name string
	// image is the name of the image that it uses, settings the daemon's.
	image, settings string
	// round answers it once; print writes the table of all rounds.
	round func(context.Context, config, *daemon, string) error
	print func(io.Writer)
}

// trials are the questions, in their order.
func trials() []trial { return append(jobTrials(), serviceTrialsOf()...) }

func jobTrials() []trial {
	var s submits
	var w watches
	var l lasting
	var t stored
	var a adoptions
	return []trial{
		{"submit", smallName, "", s.round, s.print},
		{"watch", smallName, "", w.round, w.print},
		{"durable", smallName, "", l.round, l.print},
		{"stored", smallName, "", t.round, t.print},
		{"adopt", smallName, "", a.round, a.print},
	}
}

// measureDaemon answers the questions of c.only about the daemon, with the
// images at refs by their names, and writes a table for each.
func measureDaemon(ctx context.Context, out io.Writer, c config, ref func(name string) string) error {
	for _, t := range trials() {
		if !c.wants(t.name) {
			continue
		}
		for round := range c.rounds {
			fmt.Fprintf(os.Stderr, "round %d, %s\n", round+1, t.name)
			if err := onDaemon(ctx, c, t, round, func(d *daemon) error { return t.round(ctx, c, d, ref(t.image)) }); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
		t.print(out)
	}
	return nil
}

// onDaemon calls do with a daemon that has just been started on an empty root.
func onDaemon(ctx context.Context, c config, t trial, round int, do func(*daemon) error) (err error) {
	d, err := newDaemon(c, filepath.Join(c.dir, fmt.Sprintf("%s-%d", t.name, round)), t.settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if _, err := d.start(ctx); err != nil {
		return err
	}
	return do(d)
}

// idle is a workload of tasks that do nothing for as long as anybody measures,
// and end when they are told to.
func idle(name, ref, cpu string, tasks, parallelism int) workload {
	return workload{
		name: name, image: ref, cpu: cpu, memory: "512Mi", tasks: tasks, parallelism: parallelism,
		command: []string{"/bin/sh", "-c", "trap 'exit 0' TERM; sleep 86400 & wait"},
	}
}
