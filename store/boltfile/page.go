package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What a page's header calls the page.
const (
	flagBranch = 0x01
	flagLeaf   = 0x02
	flagMeta   = 0x04
)

// Sizes in bytes of what stands on a page, and in front of an inner bucket.
const (
	elementSize = 16
	bucketSize  = 16
)

// isBucket marks an element of a leaf whose value is a bucket.
const isBucket = 0x01

// page is one page in memory, with those it overflows into.
type page []byte

func (p page) id() uint64       { return binary.NativeEndian.Uint64(p) }
func (p page) flags() uint16    { return binary.NativeEndian.Uint16(p[8:]) }
func (p page) count() int       { return int(binary.NativeEndian.Uint16(p[10:])) }
func (p page) overflow() uint64 { return uint64(binary.NativeEndian.Uint32(p[12:])) }

// element is one element of a page: of a branch, with the page below it, or of
// a leaf, with a value.
type element struct {
	key, value []byte
	child      uint64
	bucket     bool
}

// elements reads what stands on a page, and checks that all of it does.
func (p page) elements() ([]element, error) {
	leaf := p.flags() == flagLeaf
	if !leaf && p.flags() != flagBranch {
		return nil, fmt.Errorf("is neither branch nor leaf (%#x)", p.flags())
	}
	n := p.count()
	if headerSize+n*elementSize > len(p) {
		return nil, fmt.Errorf("%d elements do not fit on it", n)
	}
	if !leaf && n == 0 {
		return nil, errors.New("is a branch without a child")
	}
	all := make([]element, n)
	for i := range all {
		e, err := p.element(headerSize+i*elementSize, leaf)
		if err != nil {
			return nil, fmt.Errorf("element %d %w", i, err)
		}
		all[i] = e
	}
	return all, nil
}

// element reads the element whose head is at the offset.
func (p page) element(offset int, leaf bool) (e element, err error) {
	head, order := p[offset:offset+elementSize], binary.NativeEndian
	if !leaf {
		e.child = order.Uint64(head[8:])
		e.key, err = p.slice(offset, order.Uint32(head), order.Uint32(head[4:]))
		return e, err
	}
	flags, pos, ksize, vsize := order.Uint32(head), order.Uint32(head[4:]), order.Uint32(head[8:]), order.Uint32(head[12:])
	if flags > isBucket {
		return e, fmt.Errorf("has unknown flags %#x", flags)
	}
	e.bucket = flags == isBucket
	both, err := p.slice(offset, pos, ksize+vsize)
	if err != nil || ksize+vsize < ksize {
		return e, errors.New("lies outside")
	}
	e.key, e.value = both[:ksize:ksize], both[ksize:]
	return e, nil
}

// slice is what stands size bytes long at pos after the offset.
func (p page) slice(offset int, pos, size uint32) ([]byte, error) {
	from := uint64(offset) + uint64(pos)
	if to := from + uint64(size); to <= uint64(len(p)) && pos >= elementSize {
		return p[from:to:to], nil
	}
	return nil, errors.New("lies outside")
}
