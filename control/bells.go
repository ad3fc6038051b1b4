package control

import "sync"

// bells tell those who wait for a change of a resource. Safe for concurrent
// use; the zero value is ready.
type bells struct {
	mu    sync.Mutex
	rings map[string]chan struct{} // guarded by mu
}

// listen is closed at the next change of name. Whoever listens looks only
// afterwards whether what it waits for has happened already.
func (b *bells) listen(name string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rings == nil {
		b.rings = make(map[string]chan struct{})
	}
	if b.rings[name] == nil {
		b.rings[name] = make(chan struct{})
	}
	return b.rings[name]
}

// ring tells of a change.
func (b *bells) ring(names ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if heard := b.rings[name]; heard != nil {
			close(heard)
			delete(b.rings, name)
		}
	}
}
