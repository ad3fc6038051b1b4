package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
)

// PageSize is the size of a page in bytes. bbolt would take the kernel's, and
// the file would not open on a machine with another one: it has to be told.
const PageSize = 4096

// How a page and a meta page are laid out, in the machine's byte order.
const (
	headerSize = 16
	metaSize   = 64
	sumOffset  = metaSize - 8

	magic   = 0xED0CDAED
	version = 2

	// noFreelist stands where a meta page would name the list of free pages,
	// if bbolt is told not to keep one.
	noFreelist = ^uint64(0)
	// lastTx is more than there can be in the life of a file.
	lastTx = 1 << 62
	// maxPages is more than fit on any disk.
	maxPages = 1 << 40
)

// Meta is a meta page: one state of the database.
type Meta struct {
	// Slot is the page it stands on, 0 or 1.
	Slot int
	// Tx is the number of the transaction that made this state.
	Tx uint64

	root  uint64
	pages uint64 // pages of this state have lower numbers
	image []byte // as it stands in the file, without the page's header
}

// Size is how long the file of this state is in bytes, free pages at its end
// included.
func (m Meta) Size() int64 { return int64(m.pages) * PageSize }

// Metas reads both meta pages. It returns those that are whole, the newest
// first, and for each other one an error that says what is wrong with it.
func Metas(file io.ReaderAt) (whole []Meta, faults []error) {
	for slot := range 2 {
		m, err := readMeta(file, slot)
		if err != nil {
			faults = append(faults, fmt.Errorf("meta page %d: %w", slot, err))
			continue
		}
		whole = append(whole, m)
	}
	slices.SortFunc(whole, func(a, b Meta) int {
		if a.Tx > b.Tx {
			return -1
		}
		return 1
	})
	return whole, faults
}

// readMeta reads one meta page.
func readMeta(file io.ReaderAt, slot int) (Meta, error) {
	page := make([]byte, headerSize+metaSize)
	if _, err := file.ReadAt(page, int64(slot)*PageSize); err != nil {
		return Meta{}, err
	}
	image, order := page[headerSize:], binary.NativeEndian
	m := Meta{
		Slot:  slot,
		root:  order.Uint64(image[16:]),
		pages: order.Uint64(image[40:]),
		Tx:    order.Uint64(image[48:]),
		image: image,
	}
	switch {
	case order.Uint32(image) != magic:
		return m, errors.New("not a meta page of a bbolt file")
	case order.Uint64(image[sumOffset:]) != sum(image):
		return m, errors.New("checksum is wrong")
	case order.Uint32(image[4:]) != version:
		return m, fmt.Errorf("bbolt's file format is %d, want %d", order.Uint32(image[4:]), version)
	case order.Uint32(image[8:]) != PageSize:
		return m, fmt.Errorf("page size is %d, want %d", order.Uint32(image[8:]), PageSize)
	case order.Uint64(image[32:]) != noFreelist:
		return m, errors.New("has a list of free pages, want none")
	case m.pages > maxPages:
		return m, fmt.Errorf("no file has %d pages", m.pages)
	case m.Tx%2 != uint64(slot) || m.Tx > lastTx:
		return m, fmt.Errorf("no transaction %d can stand here", m.Tx)
	}
	return m, nil
}

// sum is the checksum of a meta page.
func sum(image []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(image[:sumOffset]) // never fails
	return h.Sum64()
}

// Revert makes m the state of the database: its image takes the place of the
// other meta page as well. It does not sync the file.
func Revert(file io.WriterAt, m Meta) error {
	page := make([]byte, PageSize)
	other := 1 - m.Slot
	binary.NativeEndian.PutUint64(page, uint64(other))
	binary.NativeEndian.PutUint16(page[8:], flagMeta)
	copy(page[headerSize:], m.image)
	_, err := file.WriteAt(page, int64(other)*PageSize)
	return err
}
