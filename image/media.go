package image

import (
	"mime"
	"strings"
)

// Media types of manifests and configurations.
// Sources: OCI image-spec v1.1 "Media Types"; Docker image manifest version 2
// schema 1 and 2.
const (
	mediaOCIIndex       = "application/vnd.oci.image.index.v1+json"
	mediaOCIManifest    = "application/vnd.oci.image.manifest.v1+json"
	mediaOCIConfig      = "application/vnd.oci.image.config.v1+json"
	mediaDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	mediaDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaDockerConfig   = "application/vnd.docker.container.image.v1+json"
	mediaSchema1        = "application/vnd.docker.distribution.manifest.v1+json"
	mediaSchema1Signed  = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	mediaDockerLayer    = "application/vnd.docker.image.rootfs.diff.tar"
)

// manifestAccept is what a registry is asked for, best first.
func manifestAccept() string {
	return strings.Join([]string{
		mediaOCIManifest, mediaOCIIndex, mediaDockerManifest, mediaDockerList,
		mediaSchema1Signed, mediaSchema1,
	}, ", ")
}

// manifestKind is what the bytes of a manifest are.
type manifestKind int

const (
	kindUnknown manifestKind = iota
	kindImage
	kindIndex
	kindSchema1
)

func kindOf(mediaType string) manifestKind {
	switch mediaType {
	case mediaOCIManifest, mediaDockerManifest:
		return kindImage
	case mediaOCIIndex, mediaDockerList:
		return kindIndex
	case mediaSchema1, mediaSchema1Signed:
		return kindSchema1
	}
	return kindUnknown
}

// baseMediaType drops parameters such as "; charset=utf-8".
func baseMediaType(s string) string {
	if base, _, err := mime.ParseMediaType(s); err == nil {
		return base
	}
	return strings.TrimSpace(s)
}

// isLayerMediaType accepts every name a tar layer goes by. How it is compressed
// is read from its first bytes, as Docker does: registries in the field hold
// layers whose media type is wrong about it.
func isLayerMediaType(s string) bool {
	const (
		oci           = "application/vnd.oci.image.layer.v1.tar"
		ociForeign    = "application/vnd.oci.image.layer.nondistributable.v1.tar"
		dockerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar"
	)
	for _, base := range []string{oci, ociForeign, mediaDockerLayer, dockerForeign} {
		switch rest, ok := strings.CutPrefix(s, base); {
		case !ok:
		case rest == "", rest == "+gzip", rest == ".gzip", rest == "+zstd", rest == ".zstd":
			return true
		}
	}
	return false
}
