package main

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// spread is how long calls of one kind took.
type spread []time.Duration

// at is the duration that the share q of all calls did not exceed. There is at
// least one.
func (s spread) at(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	i := int(q * float64(len(sorted)))
	return sorted[min(i, len(sorted)-1)]
}

// time adds how long do takes.
func (s *spread) time(ctx context.Context, do func(context.Context) error) error {
	begun := time.Now()
	if err := do(ctx); err != nil {
		return err
	}
	*s = append(*s, time.Since(begun))
	return nil
}

// probe is one kind of call.
type probe struct {
	title string
	do    func(context.Context) error
	took  spread
}

// paced makes n calls of each kind, in turns, one every so often: like clients
// that look now and then, and not like one that asks as fast as it can.
func paced(ctx context.Context, n int, every time.Duration, probes []*probe) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range n {
		for _, p := range probes {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if err := p.took.time(ctx, p.do); err != nil {
				return err
			}
		}
	}
	return nil
}

// quantiles are a half and 99 of 100.
type quantiles [2]time.Duration

// medians takes the middle of several rounds, of each quantile for itself.
func medians(rounds []spread) (q quantiles) {
	for i, share := range []float64{0.5, 0.99} {
		var all spread
		for _, s := range rounds {
			all = append(all, s.at(share))
		}
		q[i] = all.at(0.5)
	}
	return q
}

// fine is a duration in milliseconds to the hundredth.
func fine(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 2, 64) + " ms"
}
