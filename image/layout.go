package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// refName is the annotation that holds a tag in a layout's index.
// Source: OCI image-spec v1.1 "Pre-Defined Annotation Keys".
const refName = "org.opencontainers.image.ref.name"

// layoutSource is an OCI image layout, in a directory or in a tar.
// Source: OCI image-spec v1.1 "Image Layout".
type layoutSource struct {
	files files
	tag   string
}

func (s *layoutSource) root(ctx context.Context) (document, error) {
	raw, err := readFile(s.files, "index.json", maxManifestBytes)
	if err != nil {
		return document{}, err
	}
	var index manifest
	if err := json.Unmarshal(raw, &index); err != nil {
		return document{}, fmt.Errorf("%w: index.json: %v", ErrInvalidManifest, err)
	}
	entry, err := s.choose(index.Manifests)
	if err != nil {
		return document{}, err
	}
	return s.manifest(ctx, entry)
}

// choose finds the entry with the wanted tag, or the only entry.
func (s *layoutSource) choose(entries []descriptor) (descriptor, error) {
	var tags []string
	for _, e := range entries {
		tag := e.Annotations[refName]
		if s.tag != "" && tag == s.tag {
			return e, nil
		}
		if tag != "" {
			tags = append(tags, tag)
		}
	}
	if s.tag == "" && len(entries) == 1 {
		return entries[0], nil
	}
	have := "it has no tags"
	if len(tags) > 0 {
		slices.Sort(tags)
		have = "it has " + oneLine(strings.Join(slices.Compact(tags), ", "))
	}
	if s.tag == "" {
		return descriptor{}, fmt.Errorf("%w: the layout holds %d images, name one: %s", ErrNotFound, len(entries), have)
	}
	return descriptor{}, fmt.Errorf("%w: no tag %q in the layout: %s", ErrNotFound, s.tag, have)
}

func (s *layoutSource) manifest(ctx context.Context, d descriptor) (document, error) {
	if _, err := d.check(maxManifestBytes, func(string) bool { return true }); err != nil {
		return document{}, err
	}
	raw, err := fetchSmall(ctx, s, d, maxManifestBytes)
	return document{raw: raw, mediaType: d.MediaType}, err
}

func (s *layoutSource) blob(_ context.Context, d descriptor) (io.ReadCloser, error) {
	parsed, err := parseDigest(d.Digest)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrInvalidManifest, err)
	}
	body, _, err := s.files.open("blobs/sha256/" + parsed.hex())
	return body, err
}

func (s *layoutSource) close() error { return s.files.close() }

// readFile reads a small file whole.
func readFile(f files, name string, limit int64) ([]byte, error) {
	body, _, err := f.open(name)
	if err != nil {
		return nil, err
	}
	raw, err := readAll(body, limit)
	return raw, errors.Join(err, body.Close())
}
