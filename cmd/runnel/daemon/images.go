package daemon

import (
	"context"
	"slices"

	rimage "runnel/image"
)

// images is the root's image store as control sees it.
type images struct{ store *rimage.Store }

// Import is control.Images.Import.
func (i images) Import(ctx context.Context, reference string) (*rimage.Image, error) {
	return i.store.Pull(ctx, reference, rimage.PullOptions{})
}

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
func (i images) Collect(ctx context.Context, keep []string) error {
	_, err := i.store.Collect(ctx, func(digest string) bool { return slices.Contains(keep, digest) })
	return err
}
