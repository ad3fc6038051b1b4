package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// proxied measures what a request of 1 KB costs a proxy, and how long it takes at
// half of what the slowest of them can do.
type proxied struct {
	titles []string
	rounds map[string][]proxyRound
	rates  []float64
}

// proxyRound is one turn of one proxy.
type proxyRound struct {
	perSecond, perCPU float64
	half              spread
}

func (p *proxied) round(ctx context.Context, c config, d *daemon, ref string) error {
	return onProxies(ctx, c, d, ref, true, func(all []*proxy) error {
		this := make([]proxyRound, len(all))
		rate := 0.0
		for i, x := range all {
			var err error
			if this[i], err = full(ctx, c, x); err != nil {
				return fmt.Errorf("%s: %w", x.title, err)
			}
			fmt.Fprintf(os.Stderr, "%s: %.0f a second, %.0f for each of CPU\n", x.title, this[i].perSecond, this[i].perCPU)
			if r := this[i].perSecond / 2; rate == 0 || r < rate {
				rate = r
			}
		}
		for i, x := range all {
			f, err := load(ctx, x.address, hostOf(proxiedName), c.turn, rate)
			if err != nil {
				return fmt.Errorf("%s at half load: %w", x.title, err)
			}
			this[i].half = f.took
		}
		p.keep(all, this, rate)
		return nil
	})
}

// keep notes what a round has come to.
func (p *proxied) keep(all []*proxy, this []proxyRound, rate float64) {
	if p.rounds == nil {
		p.rounds = map[string][]proxyRound{}
		for _, x := range all {
			p.titles = append(p.titles, x.title)
		}
	}
	p.rates = append(p.rates, rate)
	for i, x := range all {
		p.rounds[x.title] = append(p.rounds[x.title], this[i])
	}
}

// full has all connections ask as fast as they are answered.
func full(ctx context.Context, c config, x *proxy) (r proxyRound, err error) {
	if _, err := load(ctx, x.address, hostOf(proxiedName), c.turn/4, 0); err != nil {
		return r, err
	}
	before, err := x.worked()
	if err != nil {
		return r, err
	}
	f, err := load(ctx, x.address, hostOf(proxiedName), c.turn, 0)
	if err != nil {
		return r, err
	}
	after, err := x.worked()
	return proxyRound{perSecond: f.perSecond(), perCPU: float64(len(f.took)) / (after - before).Seconds()}, err
}

func (p *proxied) print(w io.Writer) {
	fmt.Fprintf(w, "\n### requests of 1 KB through a proxy, %d connections (%s)\n\n| | per second | per second of its CPU | CPU time each | beside Runnel | p50 and p99 at %.0f a second |\n|---|---|---|---|---|---|\n",
		clients, proxyVersions(), middle(p.rates))
	first := 0.0
	for _, title := range p.titles {
		var perSecond, perCPU []float64
		var half []spread
		for _, r := range p.rounds[title] {
			perSecond, perCPU, half = append(perSecond, r.perSecond), append(perCPU, r.perCPU), append(half, r.half)
		}
		cpu := middle(perCPU)
		if first == 0 {
			first = cpu
		}
		q := medians(half)
		fmt.Fprintf(w, "| %s | %.0f | %.0f | %.1f µs | %.2f × | %s, %s |\n", title, middle(perSecond), cpu, 1e6/cpu, cpu/first, fine(q[0]), fine(q[1]))
	}
}
