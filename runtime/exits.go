package runtime

import (
	"sync"

	"runnel/contract"
	"runnel/runtime/shim"
)

// exits hands each exit that the shim reports to the instance it belongs to.
// The zero value is ready.
type exits struct {
	// mu guards known.
	mu sync.Mutex
	// known holds every instance from before its creation to its deletion.
	known map[string]*ending
	// gone is closed when no more exits will come.
	gone <-chan struct{}
}

// ending is the end of one instance, known once seen is closed.
type ending struct {
	seen chan struct{}
	exit Exit
}

// expect registers an instance before it is created, so that no exit is missed;
// false if there is one of that ID.
func (e *exits) expect(id string) (*ending, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known[id] != nil {
		return nil, false
	}
	if e.known == nil {
		e.known = map[string]*ending{}
	}
	end := &ending{seen: make(chan struct{})}
	e.known[id] = end
	return end, true
}

// forget drops an instance.
func (e *exits) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.known, id)
}

// deliver takes an exit from the shim; one that was delivered before, or of an
// instance that is not known, is ignored.
func (e *exits) deliver(x shim.Exit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := e.known[x.ID]
	if end == nil || !end.exit.At.IsZero() {
		return
	}
	end.exit = Exit{
		Exit:       contract.Exit{Code: x.Code, Signal: x.Signal, OOMKilled: x.OOMKilled},
		At:         x.At,
		MemoryPeak: x.MemoryPeak,
	}
	close(end.seen)
}

// lostWith says that exits end when gone is closed.
func (e *exits) lostWith(gone <-chan struct{}) { e.gone = gone }
