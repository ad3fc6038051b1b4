package servicelog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"runnel/runtime/logfile"
)

// files are the logs that are being written. Those that have been quiet for a
// while are closed, and gone on with later.
type files struct {
	dir   string
	limit int64

	mu   sync.Mutex       // held while writing; nobody waits for it who serves
	open map[string]*file // by ID; guarded by mu
}

// file is one log.
type file struct {
	writer *logfile.Writer
	stream io.Writer
	// used says that it has been written since the last look.
	used bool
}

// write adds lines to the logs of services and worker pools.
func (f *files) write(kind Kind, stream string, lines map[string][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for owner, text := range lines {
		id := ID(owner, kind)
		path := logfile.Path(f.dir, id)
		x := f.open[id]
		if x != nil && gone(path) {
			_ = x.writer.Close() // it was that of an earlier one of the name
			x = nil
		}
		if x == nil {
			w := logfile.Continue(path, f.limit)
			x = &file{writer: w, stream: w.Stream(stream)}
			f.open[id] = x
		}
		x.used = true
		_, _ = x.stream.Write(text) // what it cannot take, it counts and tells
	}
}

// closeIdle closes what has not been written since the last call, or all.
func (f *files) closeIdle(all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, x := range f.open {
		if all || !x.used {
			_ = x.writer.Close() // every write was answered
			delete(f.open, id)
		}
		x.used = false
	}
}

// gone reports whether somebody has removed a file.
func gone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}
