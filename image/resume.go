package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// resumable reads a blob and, when the connection breaks, goes on where it
// broke. What arrives is verified by whoever reads it, so a registry that
// serves something else the second time gains nothing.
type resumable struct {
	registry *registry
	desc     descriptor

	ctx    context.Context // of the whole blob; its reader has no other way to take one
	body   io.ReadCloser
	offset int64
	// failures counts attempts since the last byte.
	failures int
}

// open makes the first request.
func (b *resumable) open(ctx context.Context) error {
	b.ctx = ctx
	return b.registry.retry(ctx, func() error { return b.request() })
}

// request asks for the blob from the current offset on.
func (b *resumable) request() error {
	resp, err := b.registry.get(b.ctx, "blobs", b.desc.Digest, rangeFrom(b.offset))
	if err != nil {
		return err
	}
	skip := int64(0)
	if resp.StatusCode == http.StatusOK {
		skip = b.offset // the registry does not know ranges
	}
	if err := b.checkLength(resp, skip); err != nil {
		return errors.Join(err, resp.Body.Close())
	}
	b.body = resp.Body
	if _, err := io.CopyN(io.Discard, b.body, skip); err != nil {
		return errors.Join(err, b.drop())
	}
	return nil
}

// checkLength refuses at once a body that cannot become the blob.
func (b *resumable) checkLength(resp *http.Response, skip int64) error {
	if b.desc.Size < 0 || resp.ContentLength < 0 {
		return nil
	}
	if got := b.offset - skip + resp.ContentLength; got != b.desc.Size {
		return fmt.Errorf("%w: the registry has %d bytes for %s, its descriptor says %d",
			ErrDigest, got, digest(b.desc.Digest).short(), b.desc.Size)
	}
	return nil
}

// Read is the blob's next bytes.
func (b *resumable) Read(p []byte) (int, error) {
	for {
		n, err := b.body.Read(p)
		b.offset += int64(n)
		if n > 0 {
			b.failures = 0
			if err != nil && !errors.Is(err, io.EOF) {
				err = nil // it will come again with the next read
			}
			return n, err
		}
		if err == nil || errors.Is(err, io.EOF) {
			return 0, err
		}
		if err := b.resume(err); err != nil {
			return 0, err
		}
	}
}

// resume gets a new body after the old one failed with cause.
func (b *resumable) resume(cause error) error {
	for {
		b.failures++
		if b.ctx.Err() != nil || b.failures >= maxAttempts || !transient(cause) {
			return b.registry.explain(b.ctx, cause)
		}
		if err := wait(b.ctx, max(retryDelay<<(b.failures-1), patienceFor(cause))); err != nil {
			return err
		}
		_ = b.drop() // it failed already
		if cause = b.request(); cause == nil {
			return nil
		}
	}
}

// drop ends the current body.
func (b *resumable) drop() error {
	if b.body == nil {
		return nil
	}
	err := b.body.Close()
	b.body = nil
	return err
}

// Close ends the download.
func (b *resumable) Close() error { return b.drop() }
