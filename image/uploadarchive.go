package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// AddArchive makes an image of an archive: an OCI image layout in a tar, or what
// docker save writes, with one image in it. On an error nothing of it is visible,
// and its disk is given back; the error wraps one of the package's sentinels. What
// AddLayer says of how the image is found and kept holds here too.
func (s *Store) AddArchive(ctx context.Context, u Upload) (*Image, error) {
	leave, err := s.enter()
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	defer leave()
	r, err := s.addArchive(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return s.image(string(r.Digest), r), nil
}

func (s *Store) addArchive(ctx context.Context, u Upload) (_ *record, err error) {
	name, err := s.spool(ctx, u)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(name)) }()
	src, err := openUploadedArchive(name)
	if err != nil {
		return nil, err
	}
	var pins []string
	defer func() { s.letGo(pins, nil) }()
	p := &pull{store: s, src: src, most: u.MaxBytes}
	r, err := p.take(ctx, Reference{}, &pins)
	if err != nil {
		return nil, err
	}
	// It may be one that is known already, from a registry even.
	uploaded := *r
	uploaded.Upload, uploaded.Awaited = true, time.Now()
	return &uploaded, s.writeRecord(&uploaded)
}

// openUploadedArchive opens an archive of either kind. Its name on this disk is
// nothing that messages should tell.
func openUploadedArchive(path string) (source, error) {
	files, err := openArchiveAs(path, "the archive")
	if err != nil {
		return nil, err
	}
	if has(files, "index.json") {
		return &layoutSource{files: files}, nil
	}
	if has(files, "manifest.json") {
		return &dockerArchive{files: files}, nil
	}
	return nil, errors.Join(fmt.Errorf("%w: the archive is of no image: it has neither index.json nor manifest.json", ErrInvalidManifest), files.close())
}

// has reports whether there is a file by a name.
func has(files files, name string) bool {
	body, _, err := files.open(name)
	return err == nil && body.Close() == nil
}

// spool writes an upload into a file of the temporary directory, which the caller
// removes: an archive is read in no order.
func (s *Store) spool(ctx context.Context, u Upload) (name string, err error) {
	limits, err := s.layerLimits(0)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(s.tmpDir(), "upload-")
	if err != nil {
		return "", diskError(err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	most := limits.room
	if u.MaxBytes > 0 {
		most = min(most, u.MaxBytes)
	}
	body := untilDone(ctx, u.Body)
	for total := int64(0); ; {
		n, err := io.CopyN(f, body, min(diskCheckBytes, most+1-total))
		total += n
		switch {
		case total > most && most == u.MaxBytes:
			return "", fmt.Errorf("%w: it is over %d bytes", ErrTooLarge, most)
		case total > most:
			return "", fmt.Errorf("%w: it is over %d bytes", ErrNoSpace, most)
		case errors.Is(err, io.EOF):
			return f.Name(), nil
		case err != nil:
			return "", diskError(err)
		}
		if _, err := s.layerLimits(0); err != nil {
			return "", err // others fill the disk, too
		}
	}
}
