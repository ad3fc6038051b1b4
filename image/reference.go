package image

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Source is where a reference points.
type Source int

// The sources. The prefixes are those skopeo and podman use.
const (
	// SourceRegistry is a repository in a registry: no prefix, or "docker://".
	SourceRegistry Source = iota
	// SourceOCI is an OCI image layout directory: "oci:DIR[:tag]".
	SourceOCI
	// SourceOCIArchive is a tar of such a layout: "oci-archive:FILE[:tag]".
	SourceOCIArchive
	// SourceDockerArchive is what docker save writes: "docker-archive:FILE[:tag]".
	SourceDockerArchive
)

// Reference names an image. It is comparable.
type Reference struct {
	// Source says which of the other fields hold.
	Source Source
	// Registry is the host, with its port if one was given; Docker Hub is
	// "index.docker.io".
	Registry string
	// Repository is the path in the registry, such as "library/nginx".
	Repository string
	// Path is the directory or file of a local source.
	Path string
	// Tag is "latest" for a registry reference with neither tag nor digest, and
	// empty for one by digest. For a local source it may be empty; for a docker
	// archive it may be a whole name such as "nginx:1.27".
	Tag string
	// Digest is "sha256:…" if the reference has one.
	Digest string
}

// ParseReference reads a reference as people write them: "nginx",
// "host:port/repo:tag", "repo@sha256:…", "oci:DIR[:tag]",
// "oci-archive:FILE[:tag]", "docker-archive:FILE[:tag]". A local path ends at
// its first colon. No host means Docker Hub, no tag means latest. Errors wrap
// ErrReference.
func ParseReference(s string) (Reference, error) {
	for _, local := range []struct {
		prefix string
		source Source
	}{
		{"oci:", SourceOCI}, {"oci-archive:", SourceOCIArchive}, {"docker-archive:", SourceDockerArchive},
	} {
		if rest, ok := strings.CutPrefix(s, local.prefix); ok {
			return parseLocal(s, local.source, rest)
		}
	}
	return parseRemote(s)
}

func parseLocal(s string, source Source, rest string) (Reference, error) {
	path, tag, tagged := strings.Cut(rest, ":")
	switch {
	case path == "":
		return Reference{}, fmt.Errorf("%q: %w: it has no path", s, ErrReference)
	case tagged && tag == "":
		return Reference{}, fmt.Errorf("%q: %w: its tag is empty", s, ErrReference)
	case strings.ContainsRune(s, 0):
		return Reference{}, fmt.Errorf("%q: %w: it holds a NUL", s, ErrReference)
	}
	return Reference{Source: source, Path: path, Tag: tag}, nil
}

func parseRemote(s string) (Reference, error) {
	plain := strings.TrimPrefix(s, "docker://")
	if scheme, _, ok := strings.Cut(plain, "://"); ok {
		return Reference{}, fmt.Errorf("%q: %w: write it without %s://", s, ErrReference, scheme)
	}
	parsed, err := name.ParseReference(plain)
	if err != nil {
		return Reference{}, fmt.Errorf("%q: %w: want [HOST[:PORT]/]NAME[:TAG][@DIGEST] with a name in lower case", s, ErrReference)
	}
	repo := parsed.Context()
	r := Reference{Registry: repo.RegistryStr(), Repository: repo.RepositoryStr()}
	if !validHost(r.Registry) || !validRepository(r.Repository) {
		return Reference{}, fmt.Errorf("%q: %w: names are lower-case letters and digits, parted by one of . _ - /", s, ErrReference)
	}
	d, byDigest := parsed.(name.Digest)
	if !byDigest {
		r.Tag = parsed.Identifier()
		return r, nil
	}
	if _, err := parseDigest(d.DigestStr()); err != nil {
		return Reference{}, fmt.Errorf("%q: %w: %v", s, ErrReference, err)
	}
	r.Digest = d.DigestStr()
	return r, nil
}

// validHost keeps out hosts that no resolver should be asked for.
func validHost(registry string) bool {
	host := hostOnly(registry)
	if strings.Contains(host, ":") {
		_, err := netip.ParseAddr(host)
		return err == nil
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(label, alphanumeric+"ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" {
			return false
		}
	}
	return true
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789"

// validRepository is what registries take: components that begin and end with
// a letter or digit. Source: OCI distribution-spec v1.1 "Pulling manifests".
func validRepository(repository string) bool {
	for part := range strings.SplitSeq(repository, "/") {
		inner := strings.Trim(part, alphanumeric)
		if part == "" || len(inner) > 0 && (!strings.ContainsAny(part[:1], alphanumeric) || !strings.ContainsAny(part[len(part)-1:], alphanumeric)) {
			return false
		}
		if strings.Contains(part, "..") || strings.Trim(inner, alphanumeric+"._-") != "" {
			return false
		}
	}
	return true
}

// String is the reference in full: parsing it gives the same reference.
func (r Reference) String() string {
	suffix := ""
	if r.Tag != "" {
		suffix = ":" + r.Tag
	}
	switch r.Source {
	case SourceOCI:
		return "oci:" + r.Path + suffix
	case SourceOCIArchive:
		return "oci-archive:" + r.Path + suffix
	case SourceDockerArchive:
		return "docker-archive:" + r.Path + suffix
	}
	if r.Digest != "" {
		suffix = "@" + r.Digest
	}
	return r.Registry + "/" + r.Repository + suffix
}

// loopback tells whether a registry's host, with or without port, is this
// machine: the one case in which plain HTTP is spoken.
func loopback(registry string) bool {
	host := hostOnly(registry)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// hostOnly takes the port and the brackets of IPv6 off.
func hostOnly(hostport string) string {
	if rest, ok := strings.CutPrefix(hostport, "["); ok {
		host, _, _ := strings.Cut(rest, "]")
		return host
	}
	if strings.Count(hostport, ":") == 1 {
		hostport, _, _ = strings.Cut(hostport, ":")
	}
	return hostport
}

// firstLine keeps what others report to one line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
