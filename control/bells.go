package control

import "sync"

// bells tell those who wait for a change of a resource. Safe for concurrent
// use; the zero value is ready.
type bells struct {
	mu  sync.Mutex
	all map[string]*bell // guarded by mu
}

// bell is that of one resource, there only as long as somebody listens.
type bell struct {
	rung      chan struct{}
	listeners int // guarded by bells.mu
}

// listen returns a channel that is closed at the next change of name. Whoever
// listens looks only afterwards whether what it waits for has happened already,
// and calls leave at the end.
func (b *bells) listen(name string) (rung <-chan struct{}, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = make(map[string]*bell)
	}
	own := b.all[name]
	if own == nil {
		own = &bell{rung: make(chan struct{})}
		b.all[name] = own
	}
	own.listeners++
	return own.rung, func() { b.leave(name, own) }
}

// leave takes a bell away that nobody listens to any more.
func (b *bells) leave(name string, own *bell) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if own.listeners--; own.listeners == 0 && b.all[name] == own {
		delete(b.all, name)
	}
}

// ring tells of a change.
func (b *bells) ring(names ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if own := b.all[name]; own != nil {
			close(own.rung)
			delete(b.all, name)
		}
	}
}
