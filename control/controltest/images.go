package controltest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	rimage "runnel/image"
)

// Image is the reference of the jobs of NewJob.
const Image = "registry.example/hello:1"

// Images is a fake image store in front of a registry that has every image. It
// implements control.Images.
type Images struct {
	deciding sync.RWMutex // held by a collection, and for reading by the end of a lease

	mu       sync.Mutex
	stored   map[string]bool          // by digest
	versions map[string]int           // by reference
	failing  map[string]error         // by reference
	held     map[string]chan struct{} // by reference
	configs  map[string]rimage.Config // by digest
	leased   map[string]int           // by digest
	spared   map[string]bool          // by digest: leased, and needed by nothing else
	imports  int
	collects int
}

func newImages() *Images {
	return &Images{
		stored:   make(map[string]bool),
		versions: make(map[string]int),
		failing:  make(map[string]error),
		held:     make(map[string]chan struct{}),
		configs:  make(map[string]rimage.Config),
		leased:   make(map[string]int),
		spared:   make(map[string]bool),
	}
}

// Fail makes imports of reference fail with err; nil mends it.
func (i *Images) Fail(reference string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failing[reference] = err
}

// Hold makes imports of reference wait until release is called.
func (i *Images) Hold(reference string) (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held := make(chan struct{})
	i.held[reference] = held
	return sync.OnceFunc(func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.held, reference)
		close(held)
	})
}

// Configure makes config that of the image that a reference means now. Images
// have an empty one.
func (i *Images) Configure(reference string, config rimage.Config) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.configs[i.digest(reference)] = config
}

// Push makes the tag of a reference mean another image.
func (i *Images) Push(reference string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.versions[reference]++
}

// Digest is what a reference means now.
func (i *Images) Digest(reference string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.digest(reference)
}

// digest is Digest; the caller holds mu.
func (i *Images) digest(reference string) string {
	if _, digest, ok := strings.Cut(reference, "@"); ok {
		return digest
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", reference, i.versions[reference]))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Stored are the digests of the images that are there.
func (i *Images) Stored() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Sorted(maps.Keys(i.stored))
}

// Imports is how often an image was imported.
func (i *Images) Imports() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.imports
}

// Collections is how often images that nothing needs were removed.
func (i *Images) Collections() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.collects
}

// Lose removes all images.
func (i *Images) Lose() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.stored)
}

// importImage imports what a reference means now, for a lease unless that is nil.
func (i *Images) importImage(ctx context.Context, reference string, l *lease) (*rimage.Image, error) {
	i.mu.Lock()
	held := i.held[reference]
	i.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.failing[reference]; err != nil {
		return nil, fmt.Errorf("pull %s: %w", reference, err)
	}
	i.imports++
	digest := i.digest(reference)
	i.stored[digest] = true
	l.keep(digest)
	return &rimage.Image{Reference: reference, Digest: digest, Config: i.configs[digest]}, nil
}

// AddLayer implements control.Images. The layer may be anything.
func (i *Images) AddLayer(ctx context.Context, base, workingDir string, u rimage.Upload) (*rimage.Image, error) {
	below, err := i.importImage(ctx, base, nil)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", rimage.ErrBase, base, err)
	}
	return i.add(u, below.Digest+workingDir)
}

// AddArchive implements control.Images. The archive may be anything.
func (i *Images) AddArchive(_ context.Context, u rimage.Upload) (*rimage.Image, error) {
	return i.add(u, "")
}

// add stores an upload by the hash of what it was made from.
func (i *Images) add(u rimage.Upload, from string) (*rimage.Image, error) {
	sum := sha256.New()
	_, _ = io.WriteString(sum, from) // a hash takes everything
	n, err := io.Copy(sum, io.LimitReader(u.Body, u.MaxBytes+1))
	if err == nil && n > u.MaxBytes {
		err = fmt.Errorf("%w: over %d bytes", rimage.ErrTooLarge, u.MaxBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	digest := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stored[digest] = true
	return &rimage.Image{Reference: digest, Digest: digest}, nil
}

// Image implements control.Images.
func (i *Images) Image(digest string) (*rimage.Image, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.find(digest)
}

// find is Image; the caller holds mu.
func (i *Images) find(digest string) (*rimage.Image, error) {
	if !i.stored[digest] {
		return nil, fmt.Errorf("image %s: %w", digest, rimage.ErrNotFound)
	}
	return &rimage.Image{Reference: digest, Digest: digest, Config: i.configs[digest]}, nil
}

// Collect implements control.Images.
func (i *Images) Collect(_ context.Context, inUse func() ([]string, error)) error {
	i.deciding.Lock()
	defer i.deciding.Unlock()
	keep, err := inUse()
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.collects++
	clear(i.spared)
	maps.DeleteFunc(i.stored, func(digest string, _ bool) bool {
		if slices.Contains(keep, digest) {
			return false
		}
		i.spared[digest] = i.leased[digest] > 0
		return !i.spared[digest]
	})
	return nil
}
