package image

import (
	"encoding/json"
	"fmt"
)

// Bounds on what is read into memory or walked.
const (
	maxManifestBytes = 4 << 20
	maxConfigBytes   = 8 << 20
	// maxLayers is what overlayfs stacks at most (OVL_MAX_STACK).
	maxLayers = 500
	// maxIndexDepth bounds indexes within indexes, maxIndexEntries their width.
	maxIndexDepth   = 4
	maxIndexEntries = 1000
)

// document is a manifest or index as it was served.
type document struct {
	raw       []byte
	mediaType string
}

// descriptor points at content by digest and size.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// manifest holds the fields of every kind of manifest but schema 1, so that a
// document that wants to be two kinds at once is seen.
type manifest struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     string          `json:"mediaType"`
	Config        *descriptor     `json:"config,omitempty"`
	Layers        []descriptor    `json:"layers,omitempty"`
	Manifests     []descriptor    `json:"manifests,omitempty"`
	FSLayers      json.RawMessage `json:"fsLayers,omitempty"`
}

// readManifest parses a document and decides its kind. The two places that name
// it (the registry's header, the document's own field) and its shape must not
// contradict each other: two readers could otherwise see two different images
// under one digest.
func readManifest(doc document) (manifestKind, manifest, error) {
	var m manifest
	if len(doc.raw) > maxManifestBytes {
		return 0, m, fmt.Errorf("%w: manifest is over %d bytes", ErrTooLarge, maxManifestBytes)
	}
	if err := json.Unmarshal(doc.raw, &m); err != nil {
		return 0, m, fmt.Errorf("%w: %s", ErrInvalidManifest, oneLine(err.Error()))
	}
	if err := checkKeys(doc.raw); err != nil {
		return 0, m, fmt.Errorf("%w: %v", ErrInvalidManifest, err)
	}
	shape, err := m.shape()
	if err != nil {
		return 0, m, err
	}
	for _, named := range []string{baseMediaType(doc.mediaType), m.MediaType} {
		kind := kindOf(named)
		if kind == kindUnknown && named == m.MediaType && named != "" {
			return 0, m, fmt.Errorf("%w: media type %q is not that of an image", ErrInvalidManifest, clip(named))
		}
		if kind != kindUnknown && kind != shape {
			return 0, m, fmt.Errorf("%w: it is called %s and is something else", ErrInvalidManifest, named)
		}
	}
	return shape, m, nil
}

// shape is the kind a manifest's fields amount to.
func (m *manifest) shape() (manifestKind, error) {
	isImage := m.Config != nil || m.Layers != nil
	isIndex := m.Manifests != nil
	isSchema1 := m.FSLayers != nil || m.SchemaVersion == 1
	switch {
	case isImage && !isIndex && !isSchema1:
		return kindImage, nil
	case isIndex && !isImage && !isSchema1:
		return kindIndex, nil
	case isSchema1 && !isImage && !isIndex:
		return kindSchema1, nil
	case !isImage && !isIndex && !isSchema1:
		return 0, fmt.Errorf("%w: it lists neither layers nor manifests", ErrInvalidManifest)
	}
	return 0, fmt.Errorf("%w: it is image and index at once", ErrInvalidManifest)
}

// layer is one layer to be had, bottom to top in a []layer.
type layer struct {
	// digest is that of the blob, compressed or not; empty in a docker archive,
	// which does not tell.
	digest digest
	// diffID is the digest of the uncompressed tar; empty in schema 1, which
	// does not tell.
	diffID digest
	// size is the blob's length in bytes, -1 in schema 1.
	size int64
	// desc is what the source is asked with.
	desc descriptor
}

// name is how the layer is called in progress and errors.
func (l layer) name() digest {
	if l.digest != "" {
		return l.digest
	}
	return l.diffID
}

// layers joins a manifest's blobs with its configuration's diff IDs.
func (m *manifest) layers(diffIDs []digest) ([]layer, error) {
	if len(m.Layers) != len(diffIDs) {
		return nil, fmt.Errorf("%w: it has %d layers, its configuration %d",
			ErrInvalidManifest, len(m.Layers), len(diffIDs))
	}
	layers := make([]layer, len(diffIDs))
	for i, desc := range m.Layers {
		d, err := desc.check(1<<62, isLayerMediaType)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		layers[i] = layer{digest: d, diffID: diffIDs[i], size: desc.Size, desc: desc}
	}
	return layers, nil
}

// check vets a descriptor before anything is fetched for it.
func (d *descriptor) check(maxSize int64, allowed func(mediaType string) bool) (digest, error) {
	parsed, err := parseDigest(d.Digest)
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrInvalidManifest, err)
	}
	switch {
	case !allowed(d.MediaType):
		return "", fmt.Errorf("%w: media type %q is not one of a container image", ErrInvalidManifest, clip(d.MediaType))
	case d.Size < 0:
		return "", fmt.Errorf("%w: size %d of %s", ErrInvalidManifest, d.Size, parsed.short())
	case d.Size > maxSize:
		return "", fmt.Errorf("%w: %s is %d bytes, at most %d are taken", ErrTooLarge, parsed.short(), d.Size, maxSize)
	}
	return parsed, nil
}
