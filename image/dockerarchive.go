package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// dockerArchive is what docker save writes. It has no manifest in the sense of
// a registry; one is made from what is there, the same one for the same
// archive.
type dockerArchive struct {
	files files
	tag   string

	mu sync.Mutex
	// names maps a descriptor's digest to the file that holds it; guarded by mu.
	names map[string]string
}

// dockerImage is one entry of an archive's manifest.json.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func (s *dockerArchive) root(context.Context) (document, error) {
	raw, err := readFile(s.files, "manifest.json", maxManifestBytes)
	if err != nil {
		return document{}, err
	}
	var images []dockerImage
	if err := json.Unmarshal(raw, &images); err != nil {
		return document{}, fmt.Errorf("%w: manifest.json: %v", ErrInvalidManifest, err)
	}
	img, err := s.choose(images)
	if err != nil {
		return document{}, err
	}
	return s.synthesize(img)
}

// choose finds the image with the wanted tag, which may be a whole name
// ("nginx:1.27") or its part after the colon; or the only image.
func (s *dockerArchive) choose(images []dockerImage) (dockerImage, error) {
	var tags []string
	for _, img := range images {
		tags = append(tags, img.RepoTags...)
		for _, t := range img.RepoTags {
			if s.tag != "" && (t == s.tag || strings.HasSuffix(t, ":"+s.tag) || t == s.tag+":latest") {
				return img, nil
			}
		}
	}
	if s.tag == "" && len(images) == 1 {
		return images[0], nil
	}
	have := "it has " + oneLine(strings.Join(tags, ", "))
	if s.tag == "" {
		return dockerImage{}, fmt.Errorf("%w: the archive holds %d images, name one: %s", ErrNotFound, len(images), have)
	}
	return dockerImage{}, fmt.Errorf("%w: no image %q in the archive: %s", ErrNotFound, s.tag, have)
}

// synthesize makes a schema 2 manifest. The digest of a layer is its diff ID,
// as if it were stored uncompressed, whatever the archive did.
func (s *dockerArchive) synthesize(img dockerImage) (document, error) {
	config, err := readFile(s.files, img.Config, maxConfigBytes)
	if err != nil {
		return document{}, err
	}
	_, diffIDs, err := readConfig(config)
	if err != nil {
		return document{}, err
	}
	if len(diffIDs) != len(img.Layers) {
		return document{}, fmt.Errorf("%w: manifest.json has %d layers, the configuration %d",
			ErrInvalidManifest, len(img.Layers), len(diffIDs))
	}
	configDigest := string(digestOf(config))
	names := map[string]string{configDigest: img.Config}
	m := manifest{
		SchemaVersion: 2, MediaType: mediaDockerManifest, Layers: []descriptor{},
		Config: &descriptor{MediaType: mediaDockerConfig, Digest: configDigest, Size: int64(len(config))},
	}
	for i, name := range img.Layers {
		body, size, err := s.files.open(name)
		if err != nil {
			return document{}, err
		}
		if err := body.Close(); err != nil {
			return document{}, err
		}
		names[string(diffIDs[i])] = name
		m.Layers = append(m.Layers, descriptor{MediaType: mediaDockerLayer, Digest: string(diffIDs[i]), Size: size})
	}
	s.mu.Lock()
	s.names = names
	s.mu.Unlock()
	raw, err := json.Marshal(m)
	return document{raw: raw, mediaType: mediaDockerManifest}, err
}

func (s *dockerArchive) manifest(context.Context, descriptor) (document, error) {
	return document{}, fmt.Errorf("%w: a docker archive holds no index", ErrInvalidManifest)
}

func (s *dockerArchive) blob(_ context.Context, d descriptor) (io.ReadCloser, error) {
	s.mu.Lock()
	name, ok := s.names[d.Digest]
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("%w: no blob %s in the archive", ErrNotFound, d.Digest)
	}
	body, _, err := s.files.open(name)
	return body, err
}

func (s *dockerArchive) close() error { return s.files.close() }

// untold drops the blob digests from layers of a docker archive: they are diff
// IDs and do not hold for what is stored there compressed.
func untold(layers []layer) []layer {
	layers = slices.Clone(layers)
	for i := range layers {
		layers[i].digest = ""
	}
	return layers
}
