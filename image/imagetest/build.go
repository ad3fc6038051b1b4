// Package imagetest makes container images out of nothing: layers from entries,
// directories or raw bytes, written as OCI layouts and archives or pushed to a
// registry, and a registry to push them to, with faults on demand.
//
// What builds returns errors, so that programs can use it; what takes a
// testing.TB is in testing.go. It needs no privilege.
package imagetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// MediaTypes is the vocabulary of an image.
type MediaTypes int

// The vocabularies.
const (
	OCI MediaTypes = iota
	Docker
)

// Platform is what an image says it was built for.
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`
}

// Config is how the image is to be run; the names are those of the OCI image
// configuration.
type Config struct {
	User       string   `json:"User,omitempty"`
	Env        []string `json:"Env,omitempty"`
	Entrypoint []string `json:"Entrypoint,omitempty"`
	Cmd        []string `json:"Cmd,omitempty"`
	WorkingDir string   `json:"WorkingDir,omitempty"`
}

// Build describes an image. The zero value is an image without layers for
// linux/amd64, in OCI's vocabulary.
type Build struct {
	// Layers are the layers, bottom first.
	Layers []Layer
	// Compression is that of every layer.
	Compression Compression
	MediaTypes  MediaTypes
	// Platform is linux/amd64 if empty.
	Platform Platform
	Config   Config
	// ClaimDiffIDs replaces the diff IDs in the configuration, to lie.
	ClaimDiffIDs []string
}

// Descriptor points at content.
type Descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	URLs        []string          `json:"urls,omitempty"`
	Platform    *Platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Manifest is an image manifest or an index.
type Manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *Descriptor  `json:"config,omitempty"`
	Layers        []Descriptor `json:"layers,omitempty"`
	Manifests     []Descriptor `json:"manifests,omitempty"`
}

// Artifact is a built image. Its blobs are files in Dir/blobs/sha256, named
// after their digests.
type Artifact struct {
	Dir string
	// Descriptor is that of the manifest, with its platform.
	Descriptor Descriptor
	Manifest   Manifest
	DiffIDs    []string
}

// Write builds the image into dir, which may hold others.
func (b Build) Write(dir string) (*Artifact, error) {
	if b.Platform == (Platform{}) {
		b.Platform = Platform{OS: "linux", Architecture: "amd64"}
	}
	a := &Artifact{Dir: dir, Manifest: Manifest{
		SchemaVersion: 2, MediaType: b.mediaType(kindManifest), Layers: []Descriptor{},
	}}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return nil, err
	}
	for i, l := range b.Layers {
		desc, diffID, err := l.write(dir, b.Compression)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		desc.MediaType = b.mediaType(kindLayer)
		a.Manifest.Layers = append(a.Manifest.Layers, desc)
		a.DiffIDs = append(a.DiffIDs, diffID)
	}
	config, err := a.addJSON(b.configFile(a.DiffIDs))
	if err != nil {
		return nil, err
	}
	config.MediaType = b.mediaType(kindConfig)
	a.Manifest.Config = &config
	return a, a.Seal(b.Platform)
}

// Seal writes the manifest as it is now and points Descriptor at it. Call it
// after changing Manifest.
func (a *Artifact) Seal(p Platform) error {
	desc, err := a.addJSON(a.Manifest)
	if err != nil {
		return err
	}
	desc.MediaType = a.Manifest.MediaType
	if p != (Platform{}) {
		desc.Platform = &p
	}
	a.Descriptor = desc
	return nil
}

func (b Build) configFile(diffIDs []string) any {
	if b.ClaimDiffIDs != nil {
		diffIDs = b.ClaimDiffIDs
	}
	type rootfs struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	}
	return struct {
		Platform
		Config Config `json:"config"`
		RootFS rootfs `json:"rootfs"`
	}{b.Platform, b.Config, rootfs{"layers", append([]string{}, diffIDs...)}}
}

// Index makes an index of artifacts in the same directory.
func Index(m MediaTypes, children ...*Artifact) (*Artifact, error) {
	a := &Artifact{Dir: children[0].Dir}
	a.Manifest = Manifest{SchemaVersion: 2, MediaType: Build{MediaTypes: m}.mediaType(kindIndex)}
	for _, c := range children {
		a.Manifest.Manifests = append(a.Manifest.Manifests, c.Descriptor)
	}
	return a, a.Seal(Platform{})
}

// addJSON stores v and describes it.
func (a *Artifact) addJSON(v any) (Descriptor, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return Descriptor{}, err
	}
	return AddBlob(a.Dir, raw)
}

// AddBlob stores bytes in a layout directory and describes them.
func AddBlob(dir string, raw []byte) (Descriptor, error) {
	sum := sha256.Sum256(raw)
	d := Descriptor{Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(raw))}
	return d, os.WriteFile(blobPath(dir, d.Digest), raw, 0o644)
}

func blobPath(dir, digest string) string {
	return filepath.Join(dir, "blobs", "sha256", digest[len("sha256:"):])
}

type kind int

const (
	kindManifest kind = iota
	kindIndex
	kindConfig
	kindLayer
)

func (b Build) mediaType(k kind) string {
	types := map[kind][2]string{
		kindManifest: {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"},
		kindIndex:    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"},
		kindConfig:   {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"},
		kindLayer:    {"application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"},
	}
	t := types[k][b.MediaTypes]
	if k != kindLayer {
		return t
	}
	suffix := map[Compression][2]string{Gzip: {"+gzip", ".gzip"}, Zstd: {"+zstd", ".zstd"}}
	return t + suffix[b.Compression][b.MediaTypes]
}
