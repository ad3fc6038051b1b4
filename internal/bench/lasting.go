package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// lasting measures what durability costs a task: the same job by the daemon,
// which records every attempt and its end, and by "runnel run", which does not.
// CPU time is that of the programs and all their tasks, not of the host.
type lasting struct{ daemon, run []sample }

func (l *lasting) round(ctx context.Context, c config, d *daemon, ref string) error {
	w := workload{
		name: "true", image: ref, cpu: c.cpu, memory: "512Mi",
		tasks: c.parallel, parallelism: c.workers, command: []string{"/bin/true"},
	}
	if err := d.create(ctx, w); err != nil {
		return err
	}
	alone := filepath.Join(filepath.Dir(d.root), "alone")
	w.tasks = c.workers
	if _, err := runAlone(ctx, d.program, alone, w); err != nil { // it has the image then
		return err
	}
	w.tasks = c.parallel
	one, err := d.runThrough(ctx, w)
	if err != nil {
		return err
	}
	other, err := runAlone(ctx, d.program, alone, w)
	if err != nil {
		return err
	}
	l.daemon, l.run = append(l.daemon, one), append(l.run, other)
	return nil
}

// runThrough runs a job of the daemon's from its submit to its end.
func (d *daemon) runThrough(ctx context.Context, w workload) (sample, error) {
	cpu, err := d.worked()
	if err != nil {
		return sample{}, err
	}
	begun := time.Now()
	o, err := d.run(ctx, w.name)
	if err != nil {
		return sample{}, err
	}
	if err := d.wait(ctx, o); err != nil {
		return sample{}, err
	}
	wall := time.Since(begun)
	after, err := d.worked()
	if err != nil {
		return sample{}, err
	}
	return sample{wall: wall, cpu: after - cpu}.each(w.tasks), nil
}

// runAlone runs the same job with "runnel run".
func runAlone(ctx context.Context, program, root string, w workload) (sample, error) {
	cmd := exec.CommandContext(ctx, program, "run", "--root", root, "--image", w.image, "--command", w.command[0],
		"--tasks", strconv.Itoa(w.tasks), "--parallelism", strconv.Itoa(w.parallelism), "--max-retries", "0", "--cpu", w.cpu, "--memory", w.memory)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		return sample{}, fmt.Errorf("%s: %w\n%s", cmd, err, &complaint)
	}
	wall := time.Since(begun)
	// The shim is its child, which it waits for, and so on down to the tasks.
	return sample{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}.each(w.tasks), nil
}

// each shares what a turn took among its operations.
func (s sample) each(n int) sample {
	return sample{wall: s.wall / time.Duration(n), cpu: s.cpu / time.Duration(n)}
}

func (l *lasting) print(w io.Writer) {
	daemon, run := median(l.daemon), median(l.run)
	fmt.Fprint(w, "\n### the same job by the daemon and by `runnel run`\n\n| | each | per second | CPU time each | time beside `runnel run` |\n|---|---|---|---|---|\n")
	for _, row := range []struct {
		title string
		m     sample
		all   []sample
	}{{"`runnel run`", run, l.run}, {"the daemon", daemon, l.daemon}} {
		fmt.Fprintf(w, "| %s | %s | %.1f | %s | %.2f × (%s) |\n", row.title, millis(row.m.wall),
			float64(time.Second)/float64(row.m.wall), millis(row.m.cpu), float64(row.m.wall)/float64(run.wall), ratios(row.all, l.run))
	}
}

// ratios are the times of each round beside the other's, from least to most.
func ratios(all, others []sample) string {
	var r []float64
	for i, s := range all {
		r = append(r, float64(s.wall)/float64(others[i].wall))
	}
	slices.Sort(r)
	return fmt.Sprintf("%.2f to %.2f", r[0], r[len(r)-1])
}
