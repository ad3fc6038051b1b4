package daemon

import (
	"context"

	"runnel/control"
	rimage "runnel/image"
)

// images is the root's image store as control sees it.
type images struct{ store *rimage.Store }

// Lease is control.Images.Lease.
func (i images) Lease() control.Lease { return lease{i.store.Lease()} }

// Image is control.Images.Image.
func (i images) Image(digest string) (*rimage.Image, error) { return i.store.Image(digest) }

// AddLayer is control.Images.AddLayer.
func (i images) AddLayer(ctx context.Context, base, workingDir string, u rimage.Upload) (*rimage.Image, error) {
	return i.store.AddLayer(ctx, base, workingDir, u)
}

// AddArchive is control.Images.AddArchive.
func (i images) AddArchive(ctx context.Context, u rimage.Upload) (*rimage.Image, error) {
	return i.store.AddArchive(ctx, u)
}

// Collect is control.Images.Collect.
func (i images) Collect(ctx context.Context, inUse func() ([]string, error)) error {
	_, err := i.store.Collect(ctx, inUse)
	return err
}

// lease is a lease of the store as control sees it.
type lease struct{ *rimage.Lease }

// Import is control.Lease.Import.
func (l lease) Import(ctx context.Context, reference string) (*rimage.Image, error) {
	return l.Pull(ctx, reference, rimage.PullOptions{})
}
