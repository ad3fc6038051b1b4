package image

import "context"

// Lease keeps the images that were got by it from being collected, until it
// ends: for a caller that has yet to store that it uses them. Safe for concurrent
// use, but for End, which comes after all else.
type Lease struct {
	store *Store
	pins  []string // guarded by Store.mu
	// due says that a pull of the lease was the last to keep something from a
	// collection; guarded by Store.mu.
	due bool
}

// Lease begins a lease. The caller must End it.
func (s *Store) Lease() *Lease { return &Lease{store: s} }

// Pull is Store.Pull.
func (l *Lease) Pull(ctx context.Context, ref string, opts PullOptions) (*Image, error) {
	opts.lease = l
	return l.store.Pull(ctx, ref, opts)
}

// Image is Store.Image.
func (l *Lease) Image(imageDigest string) (*Image, error) {
	l.keep(digest(imageDigest))
	return l.store.Image(imageDigest)
}

// keep has an image stay, whether or not it is there yet. A nil Lease keeps
// nothing.
func (l *Lease) keep(d digest) {
	if l == nil {
		return
	}
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.store.pin(string(d), &l.pins)
}

// End lets the images go. It reports whether a collection has left something that
// the lease was the last to keep, so that it is time for another. A collection is
// waited for from before it asks what is in use until it has taken what is not: it
// does not know of what is stored meanwhile.
func (l *Lease) End() (due bool) {
	s := l.store
	s.deciding.RLock()
	defer s.deciding.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	due = s.unpin(l.pins) || l.due
	l.pins, l.due = nil, false
	return due
}
