package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// watches measures how long the daemon takes to answer while it runs a great
// execution with all the host has, and while it is idle.
type watches struct{ quiet, busy []*probe }

const (
	// looks is how many calls there are of each kind in a round.
	looks = 300
	// lookEvery is how far they are apart.
	lookEvery = 5 * time.Millisecond
)

func (w *watches) round(ctx context.Context, c config, d *daemon, ref string) error {
	great := workload{
		name: "great", image: ref, cpu: c.cpu, memory: "512Mi",
		tasks: greatTasks, parallelism: c.workers, command: []string{"/bin/true"},
	}
	if err := d.create(ctx, great); err != nil {
		return err
	}
	// One that has ended, to be looked at while nothing runs.
	great.name, great.tasks = "small", c.workers
	if err := d.create(ctx, great); err != nil {
		return err
	}
	small, err := d.run(ctx, "small")
	if err != nil {
		return err
	}
	if err := d.wait(ctx, small); err != nil {
		return err
	}
	if err := look(ctx, &w.quiet, d, small); err != nil {
		return err
	}
	o, err := d.run(ctx, "great")
	if err != nil {
		return err
	}
	if err := d.running(ctx, o.Metadata.Name, c.workers); err != nil {
		return err
	}
	if err := look(ctx, &w.busy, d, o); err != nil {
		return err
	}
	return d.remove(ctx, o.Metadata.Name)
}

// look makes calls about one execution, and adds how long they took to all.
func look(ctx context.Context, all *[]*probe, d *daemon, o operation) error {
	x := o.Metadata.Name
	status := []*probe{
		{title: "a connection's round trip (`/healthz`)", do: func(context.Context) error { d.answers(); return nil }},
		{title: "get the execution", do: func(ctx context.Context) error { return d.get(ctx, x) }},
		{title: "get a task", do: func(ctx context.Context) error { return d.get(ctx, taskOf(x, 0)) }},
		{title: "get the operation", do: func(ctx context.Context) error { return d.get(ctx, o.Name) }},
		{title: "list the executions of all jobs", do: func(ctx context.Context) error { return d.get(ctx, parent+"/jobs/-/executions") }},
	}
	// The long answers, each apart: what they leave to be collected, in the daemon
	// and here, would be paid by whoever comes next.
	lists := []*probe{
		{title: "list 100 tasks", do: func(ctx context.Context) error { return d.get(ctx, x+"/tasks") }},
		{title: "list 1,000 tasks", do: func(ctx context.Context) error { return d.get(ctx, x+"/tasks?pageSize=1000") }},
	}
	*all = slices.Concat(*all, status, lists)
	if err := paced(ctx, looks, lookEvery, status); err != nil {
		return err
	}
	for i := range lists {
		if err := paced(ctx, looks/3, lookEvery, lists[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (w *watches) print(out io.Writer) {
	fmt.Fprintf(out, "\n### answers while an execution of %d tasks runs\n\n| | idle p50 | idle p99 | running p50 | running p99 |\n|---|---|---|---|---|\n", greatTasks)
	for _, p := range distinct(w.busy) {
		quiet, busy := medians(of(w.quiet, p)), medians(of(w.busy, p))
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", p, fine(quiet[0]), fine(quiet[1]), fine(busy[0]), fine(busy[1]))
	}
}

// distinct are the titles of probes, each once.
func distinct(probes []*probe) (titles []string) {
	for _, p := range probes {
		if len(titles) > 0 && p.title == titles[0] {
			break
		}
		titles = append(titles, p.title)
	}
	return titles
}

// of is what the probes of one title took, round by round.
func of(probes []*probe, title string) (all []spread) {
	for _, p := range probes {
		if p.title == title {
			all = append(all, p.took)
		}
	}
	return all
}
