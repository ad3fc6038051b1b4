package image

import (
	"context"
	"errors"
	"fmt"
)

// resolved is the one image manifest a reference leads to.
type resolved struct {
	digest   digest
	kind     manifestKind
	manifest manifest
	raw      []byte
}

// resolve follows a reference through indexes to a linux/amd64 image.
func resolve(ctx context.Context, src source, ref Reference) (*resolved, error) {
	doc, err := src.root(ctx)
	if err != nil {
		return nil, err
	}
	r, err := readRoot(doc)
	if err != nil {
		return nil, err
	}
	if ref.Digest != "" && string(r.digest) != ref.Digest {
		return nil, fmt.Errorf("%w: the registry's manifest hashes to %s", ErrDigest, r.digest.short())
	}
	if r.kind != kindIndex {
		return r, nil
	}
	w := walk{src: src}
	return w.index(ctx, r, 1)
}

// readRoot parses what a reference names. Everything it gives comes from the
// bytes that its digest covers.
func readRoot(doc document) (*resolved, error) {
	kind, m, err := readManifest(doc)
	if err != nil {
		return nil, err
	}
	if kind == kindSchema1 {
		if doc, err = unsigned(doc); err != nil {
			return nil, err
		}
		if kind, m, err = readManifest(doc); err != nil {
			return nil, err
		}
		if kind != kindSchema1 {
			return nil, fmt.Errorf("%w: schema 1: what its signatures cover is something else", ErrInvalidManifest)
		}
	}
	return &resolved{digest: digestOf(doc.raw), kind: kind, manifest: m, raw: doc.raw}, nil
}

// walk goes through nested indexes.
type walk struct {
	src     source
	visited int
}

// index finds an image in an index. Entries that turn out to be for another
// platform only after they were fetched are passed over.
func (w *walk) index(ctx context.Context, r *resolved, depth int) (*resolved, error) {
	if depth > maxIndexDepth || len(r.manifest.Manifests) > maxIndexEntries {
		return nil, fmt.Errorf("%w: index has over %d entries or %d levels", ErrTooLarge, maxIndexEntries, maxIndexDepth)
	}
	entries, err := choosePlatform(r.manifest.Manifests)
	if err != nil {
		return nil, err
	}
	var first error
	for _, e := range entries {
		found, err := w.entry(ctx, e, depth)
		if err == nil {
			return found, nil
		}
		if !errors.Is(err, ErrPlatform) {
			return nil, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// entry fetches what an index points to.
func (w *walk) entry(ctx context.Context, e descriptor, depth int) (*resolved, error) {
	if w.visited++; w.visited > maxIndexDepth*maxIndexDepth {
		return nil, fmt.Errorf("%w: over %d manifests looked at", ErrTooLarge, maxIndexDepth*maxIndexDepth)
	}
	d, err := e.check(maxManifestBytes, func(t string) bool { return kindOf(t) != kindUnknown })
	if err != nil {
		return nil, err
	}
	doc, err := w.src.manifest(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := verifyBytes(doc.raw, e); err != nil {
		return nil, err
	}
	// The index is verified, the header of the response is not.
	doc.mediaType = e.MediaType
	kind, m, err := readManifest(doc)
	if err != nil {
		return nil, err
	}
	r := &resolved{digest: d, kind: kind, manifest: m, raw: doc.raw}
	switch {
	case kind == kindIndex:
		return w.index(ctx, r, depth+1)
	case e.Platform == nil || *e.Platform == (platform{}):
		// Only its configuration tells what it is for.
		_, _, err := r.contents(ctx, w.src)
		return r, err
	}
	return r, nil
}

// contents fetches the configuration and lists the layers, bottom to top.
func (r *resolved) contents(ctx context.Context, src source) (Config, []layer, error) {
	if r.kind == kindSchema1 {
		return readSchema1(r.raw)
	}
	if r.manifest.Config == nil {
		return Config{}, nil, fmt.Errorf("%w: it has no configuration", ErrInvalidManifest)
	}
	if len(r.manifest.Layers) > maxLayers {
		return Config{}, nil, fmt.Errorf("%w: %d layers, overlayfs stacks %d", ErrTooLarge, len(r.manifest.Layers), maxLayers)
	}
	if _, err := r.manifest.Config.check(maxConfigBytes, isConfigMediaType); err != nil {
		return Config{}, nil, err
	}
	raw, err := fetchSmall(ctx, src, *r.manifest.Config, maxConfigBytes)
	if err != nil {
		return Config{}, nil, fmt.Errorf("configuration: %w", err)
	}
	file, diffIDs, err := readConfig(raw)
	if err != nil {
		return Config{}, nil, err
	}
	layers, err := r.manifest.layers(diffIDs)
	if _, local := src.(*dockerArchive); local {
		layers = untold(layers)
	}
	return file.Config.export(), layers, err
}
