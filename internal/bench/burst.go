package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// burstSize is how many requests come at once.
	burstSize = 500
	// burstsEach is how often they do in a round.
	burstsEach = 4
)

// bursts measures many requests at once to a service at zero, and again as soon
// as they have been answered, when its instances are there.
type bursts struct {
	cold, warm []spread
	// instances are how many there were after each.
	instances []int
	failed    int
	failure   error
}

func (b *bursts) round(ctx context.Context, _ config, d *daemon, ref string) error {
	if err := d.deploy(ctx, deployment{name: "burst", image: ref, cpu: "1", memory: "128Mi", most: 100, concurrency: 80}); err != nil {
		return err
	}
	for range burstsEach {
		if err := d.atZero(ctx); err != nil {
			return err
		}
		b.cold = append(b.cold, b.burst(ctx))
		running, err := d.servers()
		if err != nil {
			return err
		}
		b.warm = append(b.warm, b.burst(ctx))
		b.instances = append(b.instances, len(running))
	}
	return nil
}

// burst makes all requests at once, each over a connection of its own, and says
// how long each took since the first.
func (b *bursts) burst(ctx context.Context) spread {
	all := make(spread, burstSize)
	errs := make([]error, burstSize)
	begin := make(chan struct{})
	var begun time.Time
	var work sync.WaitGroup
	for i := range burstSize {
		work.Go(func() {
			<-begin
			errs[i] = firstByte(ctx, ingressAddress, hostOf("burst"))
			all[i] = time.Since(begun)
		})
	}
	begun = time.Now()
	close(begin)
	work.Wait()
	for _, err := range errs {
		if err != nil {
			b.failed++
			b.failure = err
			fmt.Fprintln(os.Stderr, "a request of a burst:", err)
		}
	}
	return all
}

func (b *bursts) print(w io.Writer) {
	fmt.Fprintf(w, "\n### %d requests at once\n\n| | p50 | p99 | most |\n|---|---|---|---|\n", burstSize)
	for _, row := range []struct {
		title  string
		rounds []spread
	}{{"service at zero", b.cold}, {"again, its instances warm", b.warm}} {
		var worst spread
		for _, s := range row.rounds {
			worst = append(worst, s.at(1))
		}
		q := medians(row.rounds)
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", row.title, millis(q[0]), millis(q[1]), millis(worst.at(0.5)))
	}
	fmt.Fprintf(w, "\nInstances after each: %v. Requests that failed: %d of %d.\n", b.instances, b.failed, 2*burstSize*len(b.cold))
}
