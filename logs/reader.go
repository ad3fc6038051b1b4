package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"runnel/runtime/logfile"
)

const (
	// chunkSize is how much of a log is held at a time, in bytes: a few entries
	// of the largest kind. A request has as many chunks as it reads logs that
	// were written at the same time.
	chunkSize = 32 << 10
	// headerSize is more than what stands before an entry's text.
	headerSize = 128
)

// line is one line of a log: parts of a long one have been joined.
type line struct {
	logfile.Entry
	// offset counts the bytes of the log before it.
	offset int64
}

// reader reads the log of one instance from its beginning, through both of its
// files. It has no file open between two reads. Not safe for concurrent use.
type reader struct {
	path string
	// next is the offset of the first byte behind rest.
	next int64
	// rest are whole lines that have been read and not been taken.
	rest []byte
	// gap is what is to be told of a part of the log that is gone.
	gap    *line
	joiner joiner
	// quiet says that nothing is to be told of that.
	quiet bool
	// over says that nothing is written any more, read that all of it has been
	// read since.
	over, read bool
}

// take returns the next line that is written, if there is one. Its text is good
// until the next call.
func (r *reader) take() (l line, ok bool, err error) {
	for {
		if r.gap != nil {
			l, r.gap = *r.gap, nil
			return l, true, nil
		}
		if l, ok := r.joiner.take(); ok {
			return l, true, nil
		}
		if len(r.rest) == 0 {
			if ok, err := r.fill(); err != nil || !ok {
				return line{}, false, err
			}
			continue
		}
		offset := r.next - int64(len(r.rest))
		raw, rest, _ := bytes.Cut(r.rest, []byte{'\n'})
		if r.rest = rest; len(rest) == 0 {
			r.rest = nil // thousands of readers may have nothing to read
		}
		e, err := logfile.Parse(raw)
		if err != nil {
			continue // what a crash has left of an entry
		}
		if _, mark := logfile.Start(e); mark {
			continue
		}
		r.joiner.add(line{e, offset})
	}
}

// flush returns a line whose end was never written, if there is one. It is for
// logs that are over.
func (r *reader) flush() (line, bool) { return r.joiner.flush() }

// fill reads on, and reports whether there was something.
func (r *reader) fill() (ok bool, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read log %s: %w", r.path, err)
		}
	}()
	if r.read {
		return false, nil
	}
	current, err := openFile(r.path)
	if err != nil {
		return false, err
	}
	defer current.close()
	if current.holds(r.next) {
		ok, err := r.from(current)
		r.read = r.over && r.next == current.base+current.size
		return ok, err
	}
	old, err := openFile(logfile.Old(r.path))
	if err != nil {
		return false, err
	}
	defer old.close()
	for _, f := range []*file{old, current} {
		if f == nil || r.next >= f.base+f.size {
			continue
		}
		if missing := f.base - r.next; missing > 0 {
			r.skip(missing)
		}
		if ok, err := r.from(f); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// skip passes over bytes that are gone.
func (r *reader) skip(missing int64) {
	r.joiner = joiner{}
	if r.quiet {
		r.next += missing
		return
	}
	text := fmt.Appendf(nil, "%d bytes of the log are gone: they were more than a log holds", missing)
	r.gap = &line{logfile.Entry{Stream: logfile.System, Text: text}, r.next}
	r.next += missing
}

// from reads the next whole lines of f.
func (r *reader) from(f *file) (bool, error) {
	buf := make([]byte, min(chunkSize, f.base+f.size-r.next))
	n, err := f.ReadAt(buf, r.next-f.base)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	whole := bytes.LastIndexByte(buf[:n], '\n') + 1
	if whole == 0 && n == chunkSize {
		whole = n // no entry is as long: not ours, pass over it
	}
	r.rest = buf[:whole]
	r.next += int64(whole)
	if r.gap != nil {
		if e, err := logfile.Parse(buf[:n]); err == nil {
			r.gap.Time = e.Time
		} else {
			r.gap.Time = time.Now()
		}
	}
	return whole > 0 || r.gap != nil, nil
}

// file is one file of a log. The methods of none, nil, are those of an empty
// one.
type file struct {
	*os.File
	// base is the offset of its first byte in the log, size its size.
	base, size int64
}

// openFile opens a file of a log; nil if there is none, or nothing in it.
func openFile(path string) (*file, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	buf := make([]byte, headerSize)
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, f.Close())
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if n == 0 {
		return nil, f.Close()
	}
	opened := &file{File: f, size: info.Size()}
	first, _, _ := bytes.Cut(buf[:n], []byte{'\n'})
	if e, err := logfile.Parse(first); err == nil {
		opened.base, _ = logfile.Start(e)
	}
	return opened, nil
}

// holds reports whether the byte at an offset is, or will be, in f.
func (f *file) holds(offset int64) bool { return f != nil && offset >= f.base }

func (f *file) close() {
	if f != nil {
		_ = f.Close() // it was only read
	}
}
