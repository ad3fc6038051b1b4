package image

import (
	"fmt"
	"time"
)

const (
	// UploadHost is the registry in the references of uploads. There is none: the
	// store that has the image knows it by its digest.
	UploadHost = "source.localhost"
	// KeepUploads is how long an upload is kept that nobody has asked for, unless
	// StoreConfig says otherwise.
	KeepUploads = time.Hour
)

// UploadReference is the reference of an uploaded image, under a name for people
// to read. A Pull of it asks no network: it finds the image in its own store, or
// fails with ErrNotFound.
func UploadReference(name, imageDigest string) string {
	return UploadHost + "/" + name + "@" + imageDigest
}

// UploadDigest is the digest in the reference of an uploaded image, "" if it is
// another reference or none.
func UploadDigest(reference string) string {
	if ref, err := ParseReference(reference); err == nil && ref.uploaded() {
		return ref.Digest
	}
	return ""
}

// uploaded reports whether a reference is that of an upload.
func (r Reference) uploaded() bool { return r.Source == SourceRegistry && r.Registry == UploadHost }

// findUpload finds an upload by its reference.
func (s *Store) findUpload(ref Reference, pins *[]string) (*record, error) {
	if ref.Digest == "" {
		return nil, fmt.Errorf("%w: %s is no registry: what was uploaded is known by its digest alone", ErrReference, UploadHost)
	}
	s.mu.Lock()
	s.pin(ref.Digest, pins)
	s.mu.Unlock()
	p := &pull{store: s}
	r := p.known(digest(ref.Digest))
	*pins = append(*pins, p.pins...)
	if r == nil || !r.Upload {
		return nil, fmt.Errorf("%w: the upload is not here, or no longer: deploy its directory again", ErrNotFound)
	}
	return r, nil
}

// adopt notes that somebody is going to use an upload, which is pinned: from now on
// it is theirs to keep.
func (s *Store) adopt(r *record) error {
	if r.Awaited.IsZero() {
		return nil
	}
	r.Awaited = time.Time{}
	return s.writeRecord(r)
}

// awaited reports whether a record is that of an upload which somebody is still
// likely to ask for.
func (s *Store) awaited(r *record) bool {
	age := time.Since(r.Awaited)
	// A clock that was put back must not keep it for ever.
	return !r.Awaited.IsZero() && age < s.cfg.KeepUploads && age > -s.cfg.KeepUploads
}
