package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"runnel/runtime/logfile"
)

// readSize is how much of a file is read at a time; it holds several entries
// of the largest kind.
const readSize = 64 << 10

// reader reads one log across its files. The offset of a byte counts from the
// beginning of the log's first file, so that what is missing between two files
// can be told.
type reader struct {
	path string
	emit func(logfile.Entry)

	file *os.File // nil until there is one
	base int64    // offset of the file's first byte
	next int64    // offset of the first byte not yet read
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}

// read hands on all whole entries there are now.
func (r *reader) read(ctx context.Context, buf []byte) error {
	for {
		// Asked first: a file that has been replaced gets no more entries, so
		// that what is read of it now is all of it.
		current, err := r.current()
		if err != nil {
			return err
		}
		if r.file != nil {
			if err := r.drain(ctx, buf); err != nil {
				return err
			}
		}
		if current {
			return nil
		}
		found, err := r.advance(buf)
		if err != nil || !found {
			return err
		}
	}
}

// current tells whether the file that is open is still the one written to.
func (r *reader) current() (bool, error) {
	if r.file == nil {
		return false, nil
	}
	now, err := os.Stat(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // between two files; the next one will wake us
	}
	if err != nil {
		return false, err
	}
	mine, err := r.file.Stat()
	if err != nil {
		return false, err
	}
	return os.SameFile(now, mine), nil
}

// drain hands on the entries of the open file from next to its end. An entry
// without its newline is left for later.
func (r *reader) drain(ctx context.Context, buf []byte) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := r.file.ReadAt(buf, r.next-r.base)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		whole := bytes.LastIndexByte(buf[:n], '\n') + 1
		if whole == 0 && n == len(buf) {
			whole = n // no entry is as long: not ours, pass over it
		}
		for line := range bytes.Lines(buf[:whole]) {
			r.line(bytes.TrimSuffix(line, []byte{'\n'}))
		}
		r.next += int64(whole)
		if whole == 0 || err != nil {
			return nil
		}
	}
}

// line hands on one line of the file. What is no entry is what a crash left of
// one, and passed over.
func (r *reader) line(line []byte) {
	e, err := logfile.Parse(line)
	if err != nil {
		return
	}
	if _, mark := logfile.Start(e); !mark {
		r.emit(e)
	}
}

// advance opens the file that holds the first byte not yet read, or where that
// is gone the first one after it, and tells whether there is one.
func (r *reader) advance(buf []byte) (bool, error) {
	var best *os.File
	var base int64
	for _, path := range []string{logfile.Old(r.path), r.path} {
		f, start, err := open(path, buf)
		if err != nil {
			return false, err
		}
		if f == nil {
			continue
		}
		seen := start < r.next || r.file != nil && start == r.base
		if seen || best != nil && start >= base {
			_ = f.Close() // it was only read
			continue
		}
		if best != nil {
			_ = best.Close() // it was only read
		}
		best, base = f, start
	}
	if best == nil {
		return false, nil
	}
	if missing := base - r.next; missing > 0 {
		text := fmt.Appendf(nil, "%d bytes of the log are gone: it was written faster than it was read", missing)
		r.emit(logfile.Entry{Time: time.Now(), Stream: logfile.System, Text: text})
	}
	r.close()
	r.file, r.base, r.next = best, base, base
	return true, nil
}

// open opens a file of the log and tells where it begins. The file is nil if
// there is none, or none whose first entry is written.
func open(path string, buf []byte) (*os.File, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, errors.Join(err, f.Close())
	}
	first, _, whole := bytes.Cut(buf[:n], []byte{'\n'})
	if !whole {
		return nil, 0, f.Close()
	}
	e, err := logfile.Parse(first)
	if err != nil {
		return f, 0, nil // torn; only a first file has no mark to be read
	}
	start, _ := logfile.Start(e)
	return f, start, nil
}
