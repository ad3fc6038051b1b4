package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// idleWatch is for how long idle processes are watched.
const idleWatch = 30 * time.Second

// many measures what idle instances cost beside what runs in them.
type many struct {
	instances int
	rounds    []manyRound
}

// manyRound is memory and work of daemon and shim together, with nothing running
// and with all instances idle; start is how long it took until all were ready.
type manyRound struct {
	none, all         int64
	noneCPU, allCPU   time.Duration
	start             time.Duration
	daemons, programs int64
}

func (m *many) round(ctx context.Context, c config, d *daemon, ref string) (err error) {
	m.instances = c.instances
	var r manyRound
	if r.none, r.daemons, r.noneCPU, err = d.idleCost(ctx); err != nil {
		return err
	}
	begun := time.Now()
	if err := d.deploy(ctx, deployment{name: "many", image: ref, cpu: "1", memory: "128Mi", most: 1000, fixed: c.instances, concurrency: 80}); err != nil {
		return err
	}
	if err := d.serving(ctx, c.instances); err != nil {
		return err
	}
	r.start = time.Since(begun)
	if r.all, r.daemons, r.allCPU, err = d.idleCost(ctx); err != nil {
		return err
	}
	running, err := d.servers()
	if err != nil {
		return err
	}
	for _, pid := range running {
		own, err := shareOf(pid)
		if err != nil {
			return err
		}
		r.programs += own
	}
	m.rounds = append(m.rounds, r)
	return nil
}

// serving waits until so many instances run.
func (d *daemon) serving(ctx context.Context, n int) error {
	var running []int
	var failure error
	err := untilEvery(ctx, 10*time.Millisecond, func() bool {
		running, failure = d.servers()
		return failure != nil || len(running) == n
	})
	if failure != nil {
		return failure
	}
	if err != nil {
		err = fmt.Errorf("%d instead of %d instances run: %w", len(running), n, err)
	}
	return err
}

// idleCost is the memory of daemon and shim, that of the daemon alone, and what
// both work in idleWatch.
func (d *daemon) idleCost(ctx context.Context) (both, daemon int64, cpu time.Duration, err error) {
	// What has begun comes to rest.
	if err := pause(ctx, idleWatch/3); err != nil {
		return 0, 0, 0, err
	}
	before, err := d.worked()
	if err != nil {
		return 0, 0, 0, err
	}
	if err := pause(ctx, idleWatch); err != nil {
		return 0, 0, 0, err
	}
	after, err := d.worked()
	if err != nil {
		return 0, 0, 0, err
	}
	shim, err := d.shim()
	if err != nil {
		return 0, 0, 0, err
	}
	if daemon, err = shareOf(d.process.Process.Pid); err != nil {
		return 0, 0, 0, err
	}
	both, err = shareOf(shim)
	return both + daemon, daemon, after - before, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (m *many) print(w io.Writer) {
	fmt.Fprintf(w, "\n### %d idle instances of a service\n\n| round | all ready after | daemon and shim, none | daemon and shim, all | of these the daemon | each, beside its program | its program | CPU, none | CPU, all |\n|---|---|---|---|---|---|---|---|---|\n", m.instances)
	mib := func(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
	kib := func(n int64) string { return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10)) }
	share := func(d time.Duration) string { return fmt.Sprintf("%.2f %%", 100*d.Seconds()/idleWatch.Seconds()) }
	for i, r := range m.rounds {
		n := int64(m.instances)
		fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", i+1, millis(r.start), mib(r.none), mib(r.all), mib(r.daemons),
			kib((r.all-r.none)/n), kib(r.programs/n), share(r.noneCPU), share(r.allCPU))
	}
}
