package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// recordVersion changes when a record of before cannot be read any more, or not
// be believed: version 1 could tie a digest to layers that it does not cover.
const recordVersion = 2

// record is what is kept of an image.
type record struct {
	Version int           `json:"version"`
	Digest  digest        `json:"digest"`
	Config  Config        `json:"config"`
	Layers  []recordLayer `json:"layers"` // bottom to top
	// Upload says that the image is in no registry.
	Upload bool `json:"upload,omitempty"`
	// Awaited is when it was uploaded, until somebody asks for it.
	Awaited time.Time `json:"awaited,omitzero"`
}

// recordLayer ties a blob to what it unpacks to.
type recordLayer struct {
	Blob   digest `json:"blob,omitempty"`
	DiffID digest `json:"diffID"`
	Size   int64  `json:"size"` // of the blob in bytes, -1 if the source did not tell
}

// check refuses a record that someone else wrote.
func (r *record) check(want digest) error {
	if r.Version != recordVersion || r.Digest != want {
		return fmt.Errorf("record of %s: version %d, digest %q", want.short(), r.Version, r.Digest)
	}
	for _, l := range r.Layers {
		if _, err := parseDigest(string(l.DiffID)); err != nil {
			return fmt.Errorf("record of %s: %w", want.short(), err)
		}
	}
	return nil
}

// readRecord gives os.ErrNotExist for an image that is not there.
func (s *Store) readRecord(d digest) (*record, error) {
	raw, err := os.ReadFile(s.recordPath(d))
	if err != nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("record of %s: %w", d.short(), err)
	}
	return &r, r.check(d)
}

// writeRecord makes an image visible, durably: file, name, and the directory
// that holds the name.
func (s *Store) writeRecord(r *record) (err error) {
	raw, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.tmpDir(), "record-")
	if err != nil {
		return diskError(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(diskError(err), os.Remove(f.Name()))
		}
	}()
	_, werr := f.Write(raw)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), s.recordPath(r.Digest)); err != nil {
		return err
	}
	return syncDir(s.imagesDir())
}

// records reads every record. One that cannot be read is an image that is not
// there: its next pull writes it anew.
func (s *Store) records() ([]*record, error) {
	entries, err := os.ReadDir(s.imagesDir())
	if err != nil {
		return nil, err
	}
	var records []*record
	for _, e := range entries {
		hexes, _ := strings.CutSuffix(e.Name(), ".json")
		d, err := parseDigest(digestPrefix + hexes)
		if err != nil {
			continue
		}
		if r, err := s.readRecord(d); err == nil {
			records = append(records, r)
		}
	}
	return records, nil
}

// Image gives an image that was pulled before, by its digest, without asking
// any registry. It is for a caller that outlives its pulls and starts from
// digests it has kept; "runnel run" pulls every time and has no use for it. It fails with ErrNotFound if the image or one of its layers is
// not there. Reference is the digest.
func (s *Store) Image(imageDigest string) (*Image, error) {
	d, err := parseDigest(imageDigest)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	r, err := s.readRecord(d)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w in the store", imageDigest, ErrNotFound)
	}
	for _, l := range r.Layers {
		if !s.hasLayer(l.DiffID) {
			return nil, fmt.Errorf("image %s: layer %s %w in the store", imageDigest, l.DiffID.short(), ErrNotFound)
		}
	}
	return s.image(imageDigest, r), nil
}

// image is a record in the form others use: layers topmost first, each once
// (overlayfs refuses a directory that comes twice, and only its topmost place
// counts), none below one that hides all others.
func (s *Store) image(reference string, r *record) *Image {
	img := &Image{Reference: reference, Digest: string(r.Digest), Config: r.Config}
	seen := map[digest]bool{}
	for i := len(r.Layers) - 1; i >= 0; i-- {
		id := r.Layers[i].DiffID
		if seen[id] {
			continue
		}
		seen[id] = true
		dir := s.layerDir(id)
		img.Layers = append(img.Layers, filepath.Clean(dir))
		if opaqueRoot(dir) {
			break
		}
	}
	return img
}
