package imagetest

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// WriteLayout makes the artifacts' directory an OCI image layout that holds
// them under the given tags; an empty tag is none.
func WriteLayout(tags []string, artifacts ...*Artifact) error {
	index := Manifest{SchemaVersion: 2, MediaType: Build{}.mediaType(kindIndex)}
	for i, a := range artifacts {
		d := a.Descriptor
		if i < len(tags) && tags[i] != "" {
			d.Annotations = map[string]string{"org.opencontainers.image.ref.name": tags[i]}
		}
		index.Manifests = append(index.Manifests, d)
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	dir := artifacts[0].Dir
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644),
		os.WriteFile(filepath.Join(dir, "index.json"), raw, 0o644),
	)
}

// WriteOCI builds the image as an OCI image layout in dir.
func (b Build) WriteOCI(dir, tag string) (*Artifact, error) {
	a, err := b.Write(dir)
	if err != nil {
		return nil, err
	}
	return a, WriteLayout([]string{tag}, a)
}

// WriteOCIArchive builds the image as a tar of an OCI image layout.
func (b Build) WriteOCIArchive(file, tag string) (a *Artifact, err error) {
	err = inTempDir(file, func(dir string) error {
		if a, err = b.WriteOCI(dir, tag); err != nil {
			return err
		}
		return archiveDir(file, dir)
	})
	return a, err
}

// WriteDockerArchive builds the image in the form of docker save. Its layers
// are stored in the build's compression; docker itself uses None.
func (b Build) WriteDockerArchive(file string, repoTags ...string) (a *Artifact, err error) {
	b.MediaTypes = Docker
	err = inTempDir(file, func(dir string) error {
		if a, err = b.Write(dir); err != nil {
			return err
		}
		entry := struct {
			Config   string
			RepoTags []string
			Layers   []string
		}{Config: "blobs/sha256/" + a.Manifest.Config.Digest[len("sha256:"):], RepoTags: repoTags}
		for _, l := range a.Manifest.Layers {
			entry.Layers = append(entry.Layers, "blobs/sha256/"+l.Digest[len("sha256:"):])
		}
		raw, err := json.Marshal([]any{entry})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o644); err != nil {
			return err
		}
		return archiveDir(file, dir)
	})
	return a, err
}

// inTempDir gives f a directory beside file and removes it.
func inTempDir(file string, f func(dir string) error) error {
	dir, err := os.MkdirTemp(filepath.Dir(file), ".image-")
	if err != nil {
		return err
	}
	return errors.Join(f(dir), os.RemoveAll(dir))
}

// archiveDir writes a tar of dir's files.
func archiveDir(file, dir string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(tarFiles(f, dir), f.Close())
}

func tarFiles(w io.Writer, dir string) error {
	tw := tar.NewWriter(w)
	if err := tw.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	return tw.Close()
}
