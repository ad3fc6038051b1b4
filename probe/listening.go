package probe

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// How long Listening waits between two tries. Finding out late costs whoever
// waits at most a fiftieth of what the start has taken anyway; a start of 10 s
// is 300 tries.
const (
	minStep   = time.Millisecond
	maxStep   = 100 * time.Millisecond
	stepShare = 50 // of the time waited so far
	// tryTime bounds a try that nobody answers, such as while an address is
	// still looked for.
	tryTime = time.Second
)

// step is how long to wait for the next try after having waited for some time.
func step(waited time.Duration) time.Duration {
	return min(max(waited/stepShare, minStep), maxStep)
}

// Listening returns when something listens on addr: when a connection, which is
// closed at once, could be opened. Errors: what ended ctx, with what the last
// try came to.
func Listening(ctx context.Context, addr netip.AddrPort) error {
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last error
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ended(ctx, last)
		}
		if ctx.Err() != nil {
			return ended(ctx, last)
		}
		err := try(ctx, addr)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		timer.Reset(step(time.Since(begin)))
	}
}

// try connects once.
func try(ctx context.Context, addr netip.AddrPort) error {
	ctx, cancel := context.WithTimeoutCause(ctx, tryTime, timeoutError(tryTime))
	defer cancel()
	return because(ctx, tcp(ctx, addr))
}

// ended says why ctx has ended, and what was wrong until then.
func ended(ctx context.Context, last error) error {
	if last == nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %v", context.Cause(ctx), last)
}
