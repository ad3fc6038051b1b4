package image

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/image/imagetest"
)

// archiveOf is an archive of an image, in a file of the test's own.
func archiveOf(t testing.TB, write func(path string) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	must(t, write(path))
	raw, err := os.ReadFile(path)
	must(t, err)
	return raw
}

// An archive of either kind is the image that it is of.
func TestUploadedArchive(t *testing.T) {
	privileged(t)
	b := sample()
	var digest string
	oci := archiveOf(t, func(path string) error {
		a, err := b.WriteOCIArchive(path, "v1")
		digest = a.Descriptor.Digest
		return err
	})
	docker := archiveOf(t, func(path string) error { _, err := b.WriteDockerArchive(path, "sample:v1"); return err })
	s := newStore(t)
	for name, raw := range map[string][]byte{"oci": oci, "docker": docker} {
		img, err := s.AddArchive(deadline(t), Upload{Body: bytes.NewReader(raw), MaxBytes: int64(len(raw))})
		if err != nil || len(img.Layers) != 2 || img.Config.User != "app" || name == "oci" && img.Digest != digest {
			t.Errorf("%s: %+v, %v", name, img, err)
			continue
		}
		if found := mustPull(t, s, UploadReference("sample", img.Digest)); found.Digest != img.Digest {
			t.Errorf("%s: found %+v", name, found)
		}
	}
	collect(t, s)
	wantEmptyStore(t, s)
}

// One that a registry has brought already becomes an upload as well.
func TestUploadedArchiveOfAKnownImage(t *testing.T) {
	privileged(t)
	b := sample()
	ref := imagetest.Registry(t) + "/known"
	digest := imagetest.Push(t, b, ref).Descriptor.Digest
	s := newStore(t)
	mustPull(t, s, ref)
	notFound(t, s, UploadReference("known", digest), ErrNotFound)
	raw := archiveOf(t, func(path string) error { _, err := b.WriteOCIArchive(path, "v1"); return err })
	if _, err := s.AddArchive(deadline(t), Upload{Body: bytes.NewReader(raw)}); err != nil {
		t.Fatal(err)
	}
	mustPull(t, s, UploadReference("known", digest))
}

func TestUploadedArchiveIsRefused(t *testing.T) {
	privileged(t)
	hostile := imagetest.Build{Layers: []imagetest.Layer{entriesLayer(imagetest.File("../evil", "", 0o644))}}
	lying := sample()
	lying.ClaimDiffIDs = []string{"sha256:" + strings.Repeat("1", 64), "sha256:" + strings.Repeat("2", 64)}
	arm := sample()
	arm.Platform = imagetest.Platform{OS: "linux", Architecture: "arm64"}
	oci := func(b imagetest.Build) []byte {
		return archiveOf(t, func(path string) error { _, err := b.WriteOCIArchive(path, "v1"); return err })
	}
	whole := oci(sample())
	zeros := entriesLayer(imagetest.File("zeros", strings.Repeat("0", 2<<20), 0o644))
	inflating := oci(imagetest.Build{Layers: []imagetest.Layer{zeros}})
	if len(inflating) > 1<<19 {
		t.Fatalf("the layer that is to inflate has %d bytes", len(inflating))
	}
	zipped, err := imagetest.Gzip.Compress(whole)
	must(t, err)
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"nothing":        {nil, ErrInvalidManifest},
		"a directory":    {tarOf(t, site("x")...).Bytes(), ErrInvalidManifest},
		"no tar":         {[]byte(strings.Repeat("no tar ", 1000)), ErrInvalidManifest},
		"declared size":  {tarDeclaring(t, 1<<62), ErrInvalidManifest},
		"compressed":     {zipped, ErrInvalidManifest},
		"cut off":        {whole[:len(whole)/2], ErrInvalidManifest},
		"hostile layer":  {oci(hostile), ErrInvalidLayer},
		"other layers":   {oci(lying), ErrDigest},
		"other platform": {oci(arm), ErrPlatform},
		"inflates":       {inflating, ErrTooLarge},
		"too large":      {append(bytes.Clone(whole), make([]byte, 1<<20)...), ErrTooLarge},
	} {
		s := newStore(t)
		_, err := s.AddArchive(deadline(t), Upload{Body: bytes.NewReader(c.raw), MaxBytes: 1 << 20})
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), s.tmpDir()) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		wantEmptyStore(t, s)
	}
}
