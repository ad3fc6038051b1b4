package autoscale

import (
	"testing"
	"time"
)

// contract: SC-1
// contract: SC-3
func TestTraces(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, c := range []struct {
		name        string
		concurrency int
		load        func(time.Duration) int
		length      time.Duration
		want        string
	}{
		{"silence", 80, always(0), 300 * s, "0s:0"},
		// It is forgotten after a minute, and what it needed after another.
		{"one request of a second", 80, between(10*s, 11*s, 1), 300 * s,
			"0s:0 10s:1 2m11s:0"},
		// What fits at once, then what the mean asks for; down in two minutes.
		{"step", 10, between(10*s, 190*s, 60), 400 * s,
			"0s:0 10s:6 46s:7 52s:8 58s:9 1m4s:10 4m15s:9 4m21s:8 4m27s:7 4m33s:6 4m39s:5 4m45s:4 4m51s:3 4m56s:2 5m1s:1 5m10s:0"},
		{"ramp", 10, func(at time.Duration) int { return int(at / (5 * s)) }, 300 * s,
			"0s:0 5s:1 55s:2 1m40s:3 2m7s:4 2m36s:5 3m5s:6 3m35s:7 4m4s:8 4m34s:9"},
		{"spike", 10, between(100*s, 102*s, 200), 400 * s,
			"0s:0 1m40s:20 2m42s:1 3m42s:0"},
		// No flapping.
		{"on and off", 10, func(at time.Duration) int { return int(at/(10*s)) % 2 * 40 }, 400 * s,
			"0s:0 10s:4"},
		// Nothing more than is used.
		{"one at a time, without a pause", 1, always(1), 400 * s,
			"0s:1"},
		{"ten at a time, without a pause", 1, always(10), 400 * s,
			"0s:10"},
		{"by chance, six at a time", 1, random(6), 400 * s,
			"0s:0 0s:1 0s:3 0s:4 0s:5 1s:6 1s:7 1s:8 2s:9 3s:10 3s:11 3s:12 31s:13 1m32s:12 3m1s:13 3m1s:14 4m2s:13 4m12s:12 4m27s:13 5m20s:14 6m21s:13 6m24s:12 6m35s:14"},
		{"by chance, a third", 1, random(0.33), 400 * s,
			"0s:0 1s:1 2s:2 2s:3 2m26s:2 3m19s:3 5m8s:2"},
	} {
		r := revision{limits: usual(c.concurrency), load: c.load}
		if got := r.trace(c.length); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
