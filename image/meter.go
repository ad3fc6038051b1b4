package image

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"sync/atomic"
)

// meter hashes and counts what is read through it, and fails with tooLong
// rather than give more than limit bytes.
type meter struct {
	r       io.Reader
	hash    hash.Hash
	n       int64
	limit   int64
	tooLong error
	// watch, if not nil, follows n for other goroutines.
	watch *atomic.Int64
}

func newMeter(r io.Reader, limit int64, tooLong error, watch *atomic.Int64) *meter {
	return &meter{r: r, hash: sha256.New(), limit: limit, tooLong: tooLong, watch: watch}
}

// Read passes on what it reads once it is counted.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.n > m.limit {
		return 0, m.tooLong
	}
	m.hash.Write(p[:n])
	if m.watch != nil {
		m.watch.Store(m.n)
	}
	return n, err
}

// sum is the digest of what was read so far.
func (m *meter) sum() digest { return digestSum(m.hash) }

// remember keeps the error that a reader ended with, io.EOF excepted, so that
// it can be told from one made by a decoder above it.
type remember struct {
	r   io.Reader
	err error
}

// Read is the reader's, with its error kept.
func (r *remember) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
