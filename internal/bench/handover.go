package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// knocking is how many clients connect again and again while a daemon is
	// killed and another one started, settled for how long before and after.
	knocking = 16
	settled  = time.Second
)

// handovers measures what clients see of a daemon that is killed, and started
// again, while many instances have requests.
type handovers struct {
	instances int
	rounds    []handoverRound
}

// handoverRound is one kill. answered is from the kill to the first answer to a
// request, started from the start of the next daemon; ready is from there until
// the API answers. kept are instances that went on.
type handoverRound struct {
	answered, started, ready time.Duration
	done, refused, cut, kept int
}

// knock is one request, over a connection of its own.
type knock struct {
	ended time.Time
	err   error
}

func (h *handovers) round(ctx context.Context, c config, d *daemon, ref string) error {
	h.instances = c.instances
	if err := d.deploy(ctx, deployment{name: "over", image: ref, cpu: "1", memory: "128Mi", most: 1000, fixed: c.instances, concurrency: 80}); err != nil {
		return err
	}
	if err := d.serving(ctx, c.instances); err != nil {
		return err
	}
	before, err := d.servers()
	if err != nil {
		return err
	}
	knocks := knockOn(ctx)
	r, killed, started, err := d.replace(ctx)
	all := knocks()
	if err != nil {
		return err
	}
	after, err := d.servers()
	if err != nil {
		return err
	}
	for _, pid := range after {
		if slices.Contains(before, pid) {
			r.kept++
		}
	}
	r.count(all, killed, started)
	h.rounds = append(h.rounds, r)
	return nil
}

// replace kills the daemon and starts another one.
func (d *daemon) replace(ctx context.Context) (r handoverRound, killed, started time.Time, err error) {
	if err = pause(ctx, settled); err != nil {
		return r, killed, started, err
	}
	killed = time.Now()
	d.kill()
	started = time.Now()
	if r.ready, err = d.start(ctx); err != nil {
		return r, killed, started, err
	}
	return r, killed, started, pause(ctx, settled)
}

// count says what became of the requests.
func (r *handoverRound) count(all []knock, killed, started time.Time) {
	for _, k := range all {
		switch {
		case k.err == nil:
			r.done++
			// The killed daemon may have answered this one.
			if k.ended.Before(started) {
				continue
			}
			if took := k.ended.Sub(killed); r.answered == 0 || took < r.answered {
				r.answered, r.started = took, k.ended.Sub(started)
			}
		case errors.Is(k.err, syscall.ECONNREFUSED):
			r.refused++
		default:
			r.cut++
		}
	}
}

// knockOn has clients make requests, each over a connection of its own, until
// knocks is called, which returns them all.
func knockOn(ctx context.Context) (knocks func() []knock) {
	end := make(chan struct{})
	all := make([][]knock, knocking)
	var work sync.WaitGroup
	for i := range knocking {
		work.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				err := firstByte(ctx, ingressAddress, hostOf("over"))
				all[i] = append(all[i], knock{time.Now(), err})
			}
		})
	}
	return func() []knock {
		close(end)
		work.Wait()
		return slices.Concat(all...)
	}
}

func (h *handovers) print(w io.Writer) {
	fmt.Fprintf(w, "\n### the daemon killed while %d instances have requests\n\n| round | from the kill to the first answer | from the next start | API answers after | requests | refused | cut off | instances that went on |\n|---|---|---|---|---|---|---|---|\n", h.instances)
	for i, r := range h.rounds {
		fmt.Fprintf(w, "| %d | %s | %s | %s | %d | %d | %d | %d |\n", i+1, millis(r.answered), millis(r.started), millis(r.ready), r.done, r.refused, r.cut, r.kept)
	}
}
