package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// scenario is one kind of work that every tool does in its turn.
type scenario struct {
	name, title string
	// do does the work once and says how many operations that was. A tool that
	// cannot do it answers errors.ErrUnsupported.
	do func(context.Context, tool) (operations int, err error)
	// undo takes back what do left, outside the measured time; nil if nothing.
	undo func(context.Context, tool) error
}

// scenarios lists what is measured.
func scenarios(c config, w *workshop) []scenario {
	count := func(n int, t tool) int {
		if t.slow() {
			return max(n/10, c.workers)
		}
		return n
	}
	return []scenario{{
		name: "sequential", title: "`/bin/true`, one after another",
		do: func(ctx context.Context, t tool) (int, error) {
			n := count(c.sequential, t)
			return n, t.run(ctx, n, 1)
		},
	}, {
		name: "parallel", title: fmt.Sprintf("`/bin/true`, %d at once", c.workers),
		do: func(ctx context.Context, t tool) (int, error) {
			n := count(c.parallel, t)
			return n, t.run(ctx, n, c.workers)
		},
	}, {
		name: "pull", title: "pull of " + describe(w.registry.sizes[largeName]),
		do:   func(ctx context.Context, t tool) (int, error) { return 1, t.pull(ctx, w.registry.ref(largeName)) },
		undo: func(ctx context.Context, t tool) error { return t.forget(ctx, w.registry.ref(largeName)) },
	}}
}

// sample is what one turn took, per operation.
type sample struct{ wall, cpu time.Duration }

// measure gives every tool its turns and writes the table of their medians.
func measure(ctx context.Context, w io.Writer, rounds int, s scenario, tools []tool) error {
	samples := map[string][]sample{}
	for round := range rounds {
		for _, t := range tools {
			got, err := turn(ctx, s, t)
			if errors.Is(err, errors.ErrUnsupported) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%s, %s: %w", t.name(), s.name, err)
			}
			fmt.Fprintf(os.Stderr, "round %d, %s: %s takes %v\n", round+1, s.name, t.name(), got.wall.Round(10*time.Microsecond))
			samples[t.name()] = append(samples[t.name()], got)
		}
	}
	printTable(w, s, tools, samples)
	return nil
}

// turn lets one tool work once.
func turn(ctx context.Context, s scenario, t tool) (sample, error) {
	// What others have left to be written is not this one's to pay.
	syscall.Sync()
	cpu, err := busyTime()
	if err != nil {
		return sample{}, err
	}
	begun := time.Now()
	n, err := s.do(ctx, t)
	if err != nil {
		return sample{}, err
	}
	wall := time.Since(begun)
	after, err := busyTime()
	if err != nil {
		return sample{}, err
	}
	if s.undo != nil {
		if err := s.undo(ctx, t); err != nil {
			return sample{}, err
		}
	}
	return sample{wall: wall / time.Duration(n), cpu: (after - cpu) / time.Duration(n)}, nil
}

// printTable writes the medians, and each beside those of the first tool.
func printTable(w io.Writer, s scenario, tools []tool, samples map[string][]sample) {
	tools = slices.DeleteFunc(slices.Clone(tools), func(t tool) bool { return len(samples[t.name()]) == 0 })
	if len(tools) == 0 {
		return
	}
	fmt.Fprintf(w, "\n### %s\n\n| | each | per second | CPU time each | time beside %s |\n|---|---|---|---|---|\n", s.title, tools[0].name())
	first := median(samples[tools[0].name()])
	for _, t := range tools {
		m := median(samples[t.name()])
		beside := fmt.Sprintf("%.2f ×", float64(m.wall)/float64(first.wall))
		fmt.Fprintf(w, "| %s | %s | %.1f | %s | %s |\n", t.name(), millis(m.wall), float64(time.Second)/float64(m.wall), millis(m.cpu), beside)
	}
}

// median takes the middle of wall and CPU time, each for itself. There is at
// least one sample.
func median(all []sample) sample {
	wall, cpu := make([]time.Duration, len(all)), make([]time.Duration, len(all))
	for i, s := range all {
		wall[i], cpu[i] = s.wall, s.cpu
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	return sample{wall: wall[len(all)/2], cpu: cpu[len(all)/2]}
}

func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
}

// busyTime is what all processors together have worked since boot.
func busyTime() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(string(stat))
}

// ticks is how long a unit of /proc/stat is: USER_HZ is 100 on every Linux.
const ticks = 10 * time.Millisecond

// parseBusy adds the first line of /proc/stat up, without idle, iowait, steal
// and the guest times, which user contains.
func parseBusy(stat string) (time.Duration, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var busy time.Duration
	for _, i := range []int{1, 2, 3, 6, 7} { // user, nice, system, irq, softirq
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc/stat: %w", err)
		}
		busy += time.Duration(n) * ticks
	}
	return busy, nil
}
