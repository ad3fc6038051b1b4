package store

import (
	"os"

	"runnel/store/boltfile"
)

// Room at the end of the file. bbolt lets a file grow page by page, and syncing
// one that has grown takes the file system's journal too, which can take
// longer than all the rest. So it grows by a step at a time, of zeros that are
// on the disk before they are needed.
const (
	growth = 4 << 20 // bytes added at once
	spare  = 1 << 20 // added when less than this is left
)

// file is the store's file, below bbolt.
type file struct {
	*os.File
	size int64 // how long it is, zeros included
	// sync is its Sync, except where a test has the disk refuse.
	sync func() error
}

// extend sees to it that there is room behind the used bytes. If it cannot,
// nothing is lost but time: the commit that needs room then makes it.
func (f *file) extend(used int64) {
	if used == 0 || f.size-used >= spare {
		return
	}
	from := max(f.size, used)
	f.size = used + growth // also if it fails: tried again when that is used up
	if _, err := f.WriteAt(make([]byte, f.size-from), from); err == nil {
		_ = f.sync() // it is the next commit's as well
	}
}

// rewrite writes a page once more, as it is, and syncs the file.
func (f *file) rewrite(page int64) error {
	b := make([]byte, boltfile.PageSize)
	if _, err := f.ReadAt(b, page*boltfile.PageSize); err != nil {
		return err
	}
	if _, err := f.WriteAt(b, page*boltfile.PageSize); err != nil {
		return err
	}
	return f.sync()
}
