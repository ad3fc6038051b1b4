package image

import (
	"context"
	"time"
)

// progressInterval is how often a layer on its way is reported.
const progressInterval = 100 * time.Millisecond

// State is how far a layer is.
type State int

// The states of a layer, in the order they come. Waiting and Fetching end in
// Unpacked; Shared comes alone or after them.
const (
	// Waiting: other layers come first.
	Waiting State = iota
	// Fetching: bytes arrive and are unpacked as they do.
	Fetching
	// Unpacked: the layer was fetched, verified and unpacked.
	Unpacked
	// Shared: the layer was in the store already.
	Shared
)

// String is the state in one lower-case word.
func (s State) String() string {
	return [...]string{"waiting", "fetching", "unpacked", "shared"}[s]
}

// Progress is a report about one layer.
type Progress struct {
	// Layer is the digest of the layer's blob; of its content where the source
	// does not tell the former.
	Layer string
	// Total is the size of the blob in bytes, -1 if the source does not tell.
	Total int64
	// Current is how many bytes of it have been taken in.
	Current int64
	// State is what is being done.
	State State
}

// reporter calls a Pull's progress function, if it has one.
type reporter func(Progress)

func (r reporter) report(l layer, state State, current int64) {
	if r != nil {
		r(Progress{Layer: string(l.name()), Total: l.size, Current: current, State: state})
	}
}

// follow reports a flight until it lands or ctx ends.
func (r reporter) follow(ctx context.Context, l layer, f *flight) {
	var tick <-chan time.Time
	if r != nil {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		tick = ticker.C
		r.report(l, f.status(), f.current.Load())
	}
	last := int64(0)
	for {
		select {
		case <-f.done:
			return
		case <-ctx.Done():
			return
		case <-tick:
			if n := f.current.Load(); n != last {
				last = n
				r.report(l, Fetching, n)
			}
		}
	}
}
