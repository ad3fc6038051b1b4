package image

import (
	"context"
	"fmt"
	"io"
)

// source is where the bytes of one image come from. Nothing it returns is
// verified. It is safe for concurrent use.
type source interface {
	// root is the manifest or index the reference names.
	root(ctx context.Context) (document, error)
	// manifest is a manifest that an index points to.
	manifest(ctx context.Context, d descriptor) (document, error)
	blobs
	close() error
}

// blobs is the part of a source that the layers come from.
type blobs interface {
	// blob streams a configuration or layer. The caller closes it; cancelling
	// ctx ends a read that waits.
	blob(ctx context.Context, d descriptor) (io.ReadCloser, error)
}

// openSource does no network I/O yet for a registry; a local file is opened and
// its table of contents read.
func (s *Store) openSource(ref Reference) (source, error) {
	switch ref.Source {
	case SourceOCI:
		files, err := openDirectory(ref.Path)
		if err != nil {
			return nil, err
		}
		return &layoutSource{files: files, tag: ref.Tag}, nil
	case SourceOCIArchive:
		files, err := openArchive(ref.Path)
		if err != nil {
			return nil, err
		}
		return &layoutSource{files: files, tag: ref.Tag}, nil
	case SourceDockerArchive:
		files, err := openArchive(ref.Path)
		if err != nil {
			return nil, err
		}
		return &dockerArchive{files: files, tag: ref.Tag}, nil
	}
	return newRegistry(ref, s.cfg.TrustedHosts), nil
}

// readAll reads r, of which more than limit bytes are an error and not a
// matter of memory.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, limit)
	}
	return b, nil
}

// fetchSmall reads a document by descriptor into memory and verifies it.
func fetchSmall(ctx context.Context, src source, d descriptor, limit int64) ([]byte, error) {
	body, err := src.blob(ctx, d)
	if err != nil {
		return nil, err
	}
	raw, err := readAll(body, min(limit, d.Size))
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	return raw, verifyBytes(raw, d)
}

func verifyBytes(raw []byte, d descriptor) error {
	if int64(len(raw)) != d.Size {
		return fmt.Errorf("%w: %s is %d bytes, its descriptor says %d", ErrDigest, digest(d.Digest).short(), len(raw), d.Size)
	}
	if got := digestOf(raw); string(got) != d.Digest {
		return fmt.Errorf("%w: %s hashes to %s", ErrDigest, digest(d.Digest).short(), got.short())
	}
	return nil
}
