package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxDepth is how many pages may stand above each other. A tree of this depth
// would not fit on any disk.
const maxDepth = 32

// Visit is called for each key, and before its content for each bucket, whose
// value is nil. Bucket has the names of the buckets it is in, from the
// outermost. Nothing of it may be kept.
type Visit func(bucket [][]byte, key, value []byte)

// Walk reads every page of a state, in the order of the keys, and checks that
// it is whole: each page where it should be, used once, what stands on it
// within it, and every key in its place. Its error says on which page what is
// wrong; what was visited until then may be part of the damage.
func Walk(file io.ReaderAt, size int64, m Meta, visit Visit) error {
	w := walker{
		file:  file,
		limit: min(m.pages, uint64(size)/PageSize),
		visit: visit,
	}
	w.used = make([]uint64, w.limit/64+1)
	return w.tree(m.root, span{}, 0)
}

// walker is one walk.
type walker struct {
	file  io.ReaderAt
	limit uint64   // pages have lower numbers
	used  []uint64 // a bit per page
	path  [][]byte
	visit Visit
}

// span is where the keys of a page must lie: from low on, below high if high
// is not nil.
type span struct{ low, high []byte }

// tree walks the page id and all below it.
func (w *walker) tree(id uint64, in span, depth int) error {
	p, err := w.read(id)
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	all, err := p.elements()
	if err == nil {
		err = ordered(all, in)
	}
	if err == nil && depth > maxDepth {
		err = errors.New("is too deep in the tree")
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	if p.flags() == flagLeaf {
		return w.leaf(id, all, depth)
	}
	for i, e := range all {
		below := span{low: e.key, high: in.high}
		if i+1 < len(all) {
			below.high = all[i+1].key
		}
		if err := w.tree(e.child, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// leaf visits what stands on the leaf id, and what is in its buckets.
func (w *walker) leaf(id uint64, all []element, depth int) error {
	for i, e := range all {
		if !e.bucket {
			w.visit(w.path, e.key, e.value)
			continue
		}
		w.visit(w.path, e.key, nil)
		w.path = append(w.path, e.key)
		if err := w.bucket(e.value, depth); err != nil {
			return fmt.Errorf("page %d: element %d: %w", id, i, err)
		}
		w.path = w.path[:len(w.path)-1]
	}
	return nil
}

// bucket walks a bucket: a tree of its own, or a leaf within the value.
func (w *walker) bucket(value []byte, depth int) error {
	if len(value) < bucketSize {
		return errors.New("no room for a bucket")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.tree(root, span{}, depth+1)
	}
	inner := page(value[bucketSize:])
	if len(inner) < headerSize || inner.flags() != flagLeaf {
		return errors.New("no leaf in its bucket")
	}
	all, err := inner.elements()
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.bucket {
			return errors.New("a bucket within a leaf within a leaf")
		}
		w.visit(w.path, e.key, e.value)
	}
	return ordered(all, span{})
}

// read reads a page with those it overflows into, and takes note of them.
func (w *walker) read(id uint64) (page, error) {
	if id < 2 || id >= w.limit {
		return nil, fmt.Errorf("is not among the %d of the file", w.limit)
	}
	p := make(page, PageSize)
	if _, err := w.file.ReadAt(p, int64(id)*PageSize); err != nil {
		return nil, err
	}
	if p.id() != id {
		return nil, fmt.Errorf("calls itself page %d", p.id())
	}
	more := p.overflow()
	if more >= w.limit-id {
		return nil, fmt.Errorf("goes on for %d pages, beyond the end", more)
	}
	for n := id; n <= id+more; n++ {
		if w.used[n/64]&(1<<(n%64)) != 0 {
			return nil, errors.New("is used twice")
		}
		w.used[n/64] |= 1 << (n % 64)
	}
	if more == 0 {
		return p, nil
	}
	p = append(p, make(page, more*PageSize)...)
	_, err := w.file.ReadAt(p[PageSize:], int64(id+1)*PageSize)
	return p, err
}

// ordered checks that keys are there, ascend, and lie in their span.
func ordered(all []element, in span) error {
	last := in.low
	for i, e := range all {
		order := bytes.Compare(e.key, last)
		if len(e.key) == 0 || order < 0 || order == 0 && i > 0 || in.high != nil && bytes.Compare(e.key, in.high) >= 0 {
			return fmt.Errorf("key of element %d is out of order", i)
		}
		last = e.key
	}
	return nil
}
