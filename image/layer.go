package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"runnel/internal/undo"
)

// Buffers between the stages of a layer's pipeline: enough to keep both sides
// busy, little enough that a dozen layers stay in a few tens of megabytes.
const (
	fetchBuffers, fetchBufferSize     = 4, 128 << 10
	inflateBuffers, inflateBufferSize = 4, 256 << 10
	// diagnoseBytes is how much of a broken layer is read on to find out whether
	// its digest is wrong as well.
	diagnoseBytes = 64 << 20
)

// run brings a layer down: fetch, hash, inflate, hash, unpack, each stage ahead
// of the next, both streams read to their end and checked. The flight lands
// with either a verified directory or an error.
func (s *Store) run(ctx context.Context, f *flight, src source, l layer, most int64) {
	defer close(f.done)
	f.dir, f.diffID, f.err = s.bringInTurn(ctx, f, src, l, most)
	if f.err == nil {
		return
	}
	s.mu.Lock()
	s.forget(f) // those who joined try for themselves
	s.mu.Unlock()
}

// bringInTurn waits for one of the store's workers to be free.
func (s *Store) bringInTurn(ctx context.Context, f *flight, src source, l layer, most int64) (dir string, id digest, err error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return "", "", context.Cause(ctx)
	}
	f.running.Store(true)
	limits, err := s.layerLimits(most)
	if err != nil {
		return "", "", err
	}
	dir, id, err = s.bring(ctx, src, l, limits, &f.current)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("layer %s: %w", l.name().short(), err)
	}
	return dir, id, err
}

// bring gets and unpacks a layer into a temporary directory, and gives that and
// the layer's diff ID.
func (s *Store) bring(ctx context.Context, src blobs, l layer, limits limits, watch *atomic.Int64) (_ string, _ digest, err error) {
	var steps undo.Stack
	defer steps.OnError(&err)
	tmp, err := os.MkdirTemp(s.tmpDir(), "layer-")
	if err != nil {
		return "", "", diskError(err)
	}
	steps.Push(func() error { return os.RemoveAll(tmp) })
	root := filepath.Join(tmp, "root")
	trash := filepath.Join(tmp, "trash")
	if err := errors.Join(os.Mkdir(root, 0o755), os.Chmod(root, 0o755), os.Mkdir(trash, 0o700)); err != nil {
		return "", "", diskError(err)
	}
	p, err := openPipeline(ctx, src, l, limits.bytes, watch)
	if err != nil {
		return "", "", err
	}
	defer p.close()
	if err := unpack(ctx, root, trash, p.tar, limits); err != nil {
		return "", "", p.diagnose(ctx, err)
	}
	if err := p.finish(); err != nil {
		return "", "", p.diagnose(ctx, err)
	}
	return tmp, p.plain.sum(), os.RemoveAll(trash)
}

// pipeline is the stream of one layer.
type pipeline struct {
	layer layer
	body  io.ReadCloser
	// cancel ends a read of body that waits.
	cancel  context.CancelFunc
	blob    *meter    // what was fetched
	fetched *remember // the same, with its error apart
	ahead   *readAhead
	inflate *inflater
	plain   *meter // what it inflates to
	tar     *readAhead
}

// openPipeline starts fetching. The caller must close it.
func openPipeline(ctx context.Context, src blobs, l layer, maxBytes int64, watch *atomic.Int64) (*pipeline, error) {
	ctx, cancel := context.WithCancel(ctx)
	body, err := src.blob(ctx, l.desc)
	if err != nil {
		cancel()
		return nil, err
	}
	p := &pipeline{layer: l, body: body, cancel: cancel}
	limit, tooLong := l.size, fmt.Errorf("%w: the blob is longer than the %d bytes it should have", ErrDigest, l.size)
	if limit < 0 {
		limit, tooLong = maxBytes, fmt.Errorf("%w: the blob is over %d bytes", ErrTooLarge, maxBytes)
	}
	p.blob = newMeter(body, limit, tooLong, watch)
	p.ahead = newReadAhead(p.blob, fetchBuffers, fetchBufferSize)
	p.fetched = &remember{r: p.ahead}
	p.inflate, err = newInflater(p.fetched)
	if err != nil {
		err = p.diagnose(ctx, invalid(err))
		p.close()
		return nil, err
	}
	p.plain = newMeter(p.inflate, maxBytes, fmt.Errorf("%w: it inflates to over %d bytes", ErrTooLarge, maxBytes), nil)
	p.tar = newReadAhead(p.plain, inflateBuffers, inflateBufferSize)
	return p, nil
}

// finish reads both streams to their end, past the end of the tar and of the
// last compressed frame, and checks all that was promised.
func (p *pipeline) finish() error {
	if _, err := io.Copy(io.Discard, p.tar); err != nil {
		return invalid(err)
	}
	if _, err := io.Copy(io.Discard, p.fetched); err != nil {
		return err
	}
	if err := p.checkBlob(); err != nil {
		return err
	}
	if got := p.plain.sum(); p.layer.diffID != "" && got != p.layer.diffID {
		return fmt.Errorf("%w: it unpacks to %s, the configuration says %s", ErrDigest, got.short(), p.layer.diffID.short())
	}
	return nil
}

// checkBlob compares what was fetched, to its end, with its descriptor.
func (p *pipeline) checkBlob() error {
	if p.layer.size >= 0 && p.blob.n != p.layer.size {
		return fmt.Errorf("%w: the blob is %d bytes and should have %d", ErrDigest, p.blob.n, p.layer.size)
	}
	if got := p.blob.sum(); p.layer.digest != "" && got != p.layer.digest {
		return fmt.Errorf("%w: the blob hashes to %s", ErrDigest, got.short())
	}
	return nil
}

// diagnose finds the reason that explains the others: a failed fetch, then a
// blob that is not the one promised, then what err says.
func (p *pipeline) diagnose(ctx context.Context, err error) error {
	if p.tar != nil {
		_ = p.tar.Close() // never fails
		p.tar = nil       // the streams below are ours alone now
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case p.fetched.err != nil:
		return p.fetched.err
	case !errors.Is(err, ErrInvalidLayer):
		return err
	}
	n, ferr := io.CopyN(io.Discard, p.fetched, diagnoseBytes)
	if n == diagnoseBytes {
		return err // too much is left to find out
	}
	if p.fetched.err != nil {
		return ferr
	}
	if mismatch := p.checkBlob(); mismatch != nil {
		return mismatch
	}
	return err
}

// close stops every stage, from the source on so that none waits for another.
// The body is closed once nobody reads it.
func (p *pipeline) close() {
	p.cancel()
	_ = p.ahead.Close() // never fails
	_ = p.body.Close()  // only read from
	if p.tar != nil {
		_ = p.tar.Close()
	}
	if p.inflate != nil {
		_ = p.inflate.Close()
	}
}

// layerLimits says how large a layer may become now: what it inflates to is at
// most most, where that is not 0.
func (s *Store) layerLimits(most int64) (limits, error) {
	free, err := freeBytes(s.cfg.Dir)
	if err != nil {
		return limits{}, err
	}
	room := free - s.cfg.ReserveBytes
	if room <= 0 {
		return limits{}, fmt.Errorf("%w: %d bytes are free and %d are kept free", ErrNoSpace, free, s.cfg.ReserveBytes)
	}
	l := limits{bytes: s.cfg.MaxLayerBytes, room: room, entries: s.cfg.MaxLayerEntries, reserve: s.cfg.ReserveBytes}
	if l.bytes == 0 {
		l.bytes = room + streamSlack
	}
	if most > 0 {
		l.bytes = min(l.bytes, most)
	}
	return l, nil
}
