package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Continue is NewWriter for a log that an earlier process has begun: what is at
// path stays, and is gone on with. An entry that was torn is closed by a newline.
func Continue(path string, limit int64) *Writer {
	w := NewWriter(path, limit)
	w.resume = true
	return w
}

// reopen opens the file that an earlier writer has left, and reports whether
// there is one with something in it. If not, what comes next follows the file
// before it.
func (w *Writer) reopen() (bool, error) {
	f, err := os.OpenFile(w.path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err == nil {
		base, size, err := extent(f)
		if err == nil && size > 0 {
			if size, err = whole(f, size); err == nil {
				w.file, w.base, w.size = f, base, size
				return true, nil
			}
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return false, err
		}
	}
	old, err := os.Open(Old(w.path))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer old.Close()
	base, size, err := extent(old)
	w.base = base + size
	return false, err
}

// extent is at which byte of the whole log a file begins, and its size.
func extent(f *os.File) (base, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	head := make([]byte, 2*maxHeader)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, fmt.Errorf("read the beginning: %w", err)
	}
	first, _, _ := bytes.Cut(head[:n], []byte{'\n'})
	if e, err := Parse(first); err == nil {
		base, _ = Start(e)
	}
	return base, info.Size(), nil
}

// whole ends the last line of a file of that size.
func whole(f *os.File, size int64) (int64, error) {
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return size, err
	}
	n, err := f.Write([]byte{'\n'})
	return size + int64(n), err
}
