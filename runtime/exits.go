package runtime

import (
	"sync"
	"sync/atomic"

	"runnel/contract"
	"runnel/runtime/shim"
)

// exits hands each exit of a container that the shim reports to the instance it
// belongs to. The zero value is ready.
type exits struct {
	// mu guards known.
	mu sync.Mutex
	// known holds every instance from before its creation to its deletion.
	known map[string]*ending
}

// ending is the end of one instance: of the first of its containers that ends,
// known once seen is closed.
type ending struct {
	keeper *keeper
	// parts are the containers, by their place.
	parts []part
	seen  chan struct{}
	exit  Exit
	// cpu is what the instance's CPU is set by, for as long as it is known.
	cpu throttle
}

// part is one container of an instance.
type part struct {
	started atomic.Bool
	// over is closed when the container has ended.
	over chan struct{}
}

func newEnding(k *keeper, containers int) *ending {
	e := &ending{keeper: k, parts: make([]part, containers), seen: make(chan struct{})}
	for n := range e.parts {
		e.parts[n].over = make(chan struct{})
	}
	return e
}

// started reports whether a container has been started.
func (e *ending) started() bool {
	for n := range e.parts {
		if e.parts[n].started.Load() {
			return true
		}
	}
	return false
}

// over reports whether the end is known.
func (e *ending) over() bool { return closed(e.seen) }

// isOver reports whether the container is known to have ended.
func (p *part) isOver() bool { return closed(p.over) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// expect registers an instance of k's, of so many containers, before it is
// created, so that no exit is missed; false if there is one of that ID.
func (e *exits) expect(id string, k *keeper, containers int) (*ending, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known[id] != nil {
		return nil, false
	}
	if e.known == nil {
		e.known = map[string]*ending{}
	}
	end := newEnding(k, containers)
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
	if end == nil || end.keeper != k || x.Container < 0 || x.Container >= len(end.parts) {
		return
	}
	p := &end.parts[x.Container]
	if p.isOver() {
		return
	}
	close(p.over)
	if !end.exit.At.IsZero() {
		return // another was the first
	}
	end.exit = Exit{
		Exit:       contract.Exit{Code: x.Code, Signal: x.Signal, OOMKilled: x.OOMKilled},
		Container:  x.Container,
		At:         x.At,
		MemoryPeak: x.MemoryPeak,
	}
	close(end.seen)
}
