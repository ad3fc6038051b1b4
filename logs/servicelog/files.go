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

// write adds lines to the logs of services.
func (f *files) write(kind Kind, stream string, lines map[string][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for service, text := range lines {
		id := ID(service, kind)
		x := f.open[id]
		if x == nil {
			w := logfile.Continue(logfile.Path(f.dir, id), f.limit)
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

// Remove removes the logs of a service, by its full name. That there are none is
// no error.
func (w *Writer) Remove(service string) error {
	w.files.mu.Lock()
	defer w.files.mu.Unlock()
	var errs []error
	for _, kind := range Kinds() {
		id := ID(service, kind)
		if x := w.files.open[id]; x != nil {
			_ = x.writer.Close() // it goes
			delete(w.files.open, id)
		}
		path := logfile.Path(w.files.dir, id)
		for _, name := range []string{logfile.Old(path), path} {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
