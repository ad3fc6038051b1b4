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
}

// ending is the end of one instance, known once seen is closed.
type ending struct {
	keeper *keeper
	seen   chan struct{}
	exit   Exit
}

// over reports whether the end is known.
func (e *ending) over() bool {
	select {
	case <-e.seen:
		return true
	default:
		return false
	}
}

// expect registers an instance of k's before it is created, so that no exit is
// missed; false if there is one of that ID.
func (e *exits) expect(id string, k *keeper) (*ending, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known[id] != nil {
		return nil, false
	}
	if e.known == nil {
		e.known = map[string]*ending{}
	}
	end := &ending{keeper: k, seen: make(chan struct{})}
	e.known[id] = end
	return end, true
}

// none says that no instance is known.
func (e *exits) none() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.known) == 0
}

// forget drops an instance.
func (e *exits) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.known, id)
}

// deliver takes an exit from the shim k; one that was delivered before, or of an
// instance that is not known, or not k's, is ignored: an instance that has ended
// as lost with its shim stays so.
func (e *exits) deliver(k *keeper, x shim.Exit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := e.known[x.ID]
	if end == nil || end.keeper != k || !end.exit.At.IsZero() {
		return
	}
	end.exit = Exit{
		Exit:       contract.Exit{Code: x.Code, Signal: x.Signal, OOMKilled: x.OOMKilled},
		At:         x.At,
		MemoryPeak: x.MemoryPeak,
	}
	close(end.seen)
}
