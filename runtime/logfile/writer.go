package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	// MinLimit is the least size limit of a file, in bytes; it holds a few
	// entries of the largest kind.
	MinLimit = 64 << 10
	// maxBatch bounds one write(2) and the buffer it is made in.
	maxBatch = 128 << 10
	// idleBatch is the buffer a quiet instance may keep.
	idleBatch = 8 << 10
)

// Writer is the log of one instance. It never fails its callers: what cannot
// be written is dropped and counted, and the log says so once it can be written
// again. It is safe for concurrent use.
type Writer struct {
	path  string
	limit int64
	done  chan struct{} // closed by Close

	// mu guards what follows.
	mu      sync.Mutex
	streams []*stream
	file    *os.File // nil until the first byte, and where opening failed
	size    int64    // of file
	base    int64    // bytes of the whole log in the files before it
	batch   []byte   // entries not yet written
	pace    pace
	dropped Dropped
	noted   Dropped // what of it the log tells already
	reason  error   // of the latest drop
	closed  bool
	resume  bool // the first file may be there already
}

// Dropped counts what a log could not take.
type Dropped struct {
	// Entries counts lines, or the parts of long ones.
	Entries int64
	// Bytes counts their text, newlines left out.
	Bytes int64
}

// NewWriter returns the writer of the log at path, whose file is limited to
// limit bytes, MinLimit at least. Nothing is created before the first entry;
// then files that an earlier log left at path are replaced.
func NewWriter(path string, limit int64) *Writer {
	return &Writer{path: path, limit: max(limit, MinLimit), done: make(chan struct{})}
}

// Stream returns a sink whose bytes become entries of the stream name, in
// order: lower-case letters, 16 at most, such as Stdout. A line without its
// newline is held back until the newline, MaxText bytes or Close. The sink
// takes every write whole and never returns an error, so that nobody who copies
// to it stops reading what an instance prints. One Write makes one timestamp
// and, up to about 100 KiB, one write(2).
//
// All streams together take a million entries a second, and 100,000 at once
// after a rest; however long their lines are does not matter. Beyond that a
// Write blocks for up to 50 milliseconds, so that whoever prints to a pipe that
// is copied here waits for room in it. Close ends the wait.
func (w *Writer) Stream(name string) io.Writer {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &stream{w: w, name: name}
	w.streams = append(w.streams, s)
	return s
}

// Dropped tells what has been lost so far.
func (w *Writer) Dropped() Dropped {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// Close writes the lines that lack their newline and closes the file. What is
// written to a stream afterwards is dropped.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	close(w.done)
	stamp := appendStamp(nil, time.Now())
	for _, s := range w.streams {
		if len(s.rest) > 0 {
			s.entry(stamp, nil, false)
		}
	}
	w.flush()
	if w.dropped != w.noted && w.ready(maxHeader) == nil {
		_ = w.note() // the counters still tell
	}
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// flush writes the batch. w.mu is held, as in all that follows.
func (w *Writer) flush() {
	if len(w.batch) == 0 {
		return
	}
	err := w.ready(len(w.batch))
	if err == nil && w.dropped != w.noted {
		err = w.note()
	}
	kept := 0
	if err == nil {
		kept, err = w.append(w.batch)
	}
	if err != nil {
		w.drop(w.batch[kept:], err)
	}
	// An instance that floods keeps its large buffer, one that has gone quiet
	// gives it back: there may be thousands.
	if cap(w.batch) > idleBatch && len(w.batch) <= idleBatch {
		w.batch = nil
	}
	w.batch = w.batch[:0]
}

// ready sees to it that the file is open and has room for need bytes.
func (w *Writer) ready(need int) error {
	if w.file == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.size > 0 && w.size+int64(need+4*maxHeader) > w.limit {
		if err := w.rotate(); err != nil {
			return err
		}
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.size > 0 || w.base == 0 {
		return nil
	}
	mark := Entry{Time: time.Now(), Stream: markStream, Text: strconv.AppendInt(nil, w.base, 10)}
	_, err := w.append(mark.Append(nil))
	return err
}

// open creates the file, and on the first time removes what an earlier log of
// the same path left.
func (w *Writer) open() error {
	if w.resume {
		there, err := w.reopen()
		if err != nil {
			return err
		}
		if w.resume = false; there {
			return nil
		}
	}
	if w.base == 0 {
		if err := os.Remove(Old(w.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// O_APPEND, because a torn entry is cut off again.
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w.file, w.size = f, 0
	return nil
}

// rotate moves the full file aside. A reader that has it open still sees its
// end.
func (w *Writer) rotate() error {
	// A file that somebody has removed is as good as moved.
	if err := os.Rename(w.path, Old(w.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = w.file.Close() // nothing is buffered here, every write was answered
	w.file = nil
	w.base += w.size
	w.size = 0
	return nil
}

// append writes p, which holds whole entries, and returns how many bytes of it
// the file has kept: whole entries again.
func (w *Writer) append(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if err != nil {
		n = bytes.LastIndexByte(p[:n], '\n') + 1
		if cut := w.file.Truncate(w.size + int64(n)); cut != nil {
			err = errors.Join(err, cut)
		}
	}
	w.size += int64(n)
	return n, err
}

// drop counts the entries of p as lost.
func (w *Writer) drop(p []byte, reason error) {
	w.reason = reason
	for line := range bytes.Lines(p) {
		w.dropped.Entries++
		if e, err := Parse(bytes.TrimSuffix(line, []byte{'\n'})); err == nil {
			w.dropped.Bytes += int64(len(e.Text))
		}
	}
}

// note tells in the log what has been lost since the last note.
func (w *Writer) note() error {
	reason := w.reason
	if inner := (*fs.PathError)(nil); errors.As(reason, &inner) {
		reason = inner.Err // the path means nothing to who reads the log
	}
	text := fmt.Appendf(nil, "%d entries (%d bytes) of output were lost here: %v",
		w.dropped.Entries-w.noted.Entries, w.dropped.Bytes-w.noted.Bytes, reason)
	_, err := w.append(Entry{Time: time.Now(), Stream: System, Text: text}.Append(nil))
	if err == nil {
		w.noted = w.dropped
	}
	return err
}
