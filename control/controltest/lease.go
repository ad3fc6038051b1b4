package controltest

import (
	"context"

	"runnel/control"
	rimage "runnel/image"
)

// lease implements control.Lease.
type lease struct {
	images *Images
	kept   []string // digests; guarded by Images.mu
}

// Lease implements control.Images.
func (i *Images) Lease() control.Lease { return &lease{images: i} }

// Import implements control.Lease.
func (l *lease) Import(ctx context.Context, reference string) (*rimage.Image, error) {
	return l.images.importImage(ctx, reference, l)
}

// Image implements control.Lease.
func (l *lease) Image(digest string) (*rimage.Image, error) {
	l.images.mu.Lock()
	defer l.images.mu.Unlock()
	l.keep(digest)
	return l.images.find(digest)
}

// keep has an image stay; the caller holds mu. A nil lease keeps nothing.
func (l *lease) keep(digest string) {
	if l != nil {
		l.images.leased[digest]++
		l.kept = append(l.kept, digest)
	}
}

// End implements control.Lease.
func (l *lease) End() (due bool) {
	l.images.deciding.RLock()
	defer l.images.deciding.RUnlock()
	l.images.mu.Lock()
	defer l.images.mu.Unlock()
	for _, digest := range l.kept {
		if l.images.leased[digest]--; l.images.leased[digest] == 0 {
			due = due || l.images.spared[digest]
			delete(l.images.spared, digest)
		}
	}
	l.kept = nil
	return due
}
