package http1

import (
	"bytes"
	"io"
)

// Reader reads a connection through a buffer. The zero Reader must be Reset.
type Reader struct {
	src io.Reader
	buf []byte
	// buf[r:w] has been read from src and not been taken.
	r, w int
}

// Reset has the reader read src, through buf. What it has buffered is dropped.
func (r *Reader) Reset(src io.Reader, buf []byte) {
	*r = Reader{src: src, buf: buf}
}

// Buffered is what has been read from the connection and not been taken, valid
// until the next call.
func (r *Reader) Buffered() []byte { return r.buf[r.r:r.w] }

// Buffer is the buffer that the reader works with now.
func (r *Reader) Buffer() []byte { return r.buf }

// Discard takes n of the buffered bytes.
func (r *Reader) Discard(n int) { r.r += n }

// Fill reads once more from the connection. There must be room: see Reserve.
func (r *Reader) Fill() error {
	if r.r == r.w {
		r.r, r.w = 0, 0
	} else if r.w == len(r.buf) {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// grow gives the reader a larger buffer if the one it has is full.
func (r *Reader) grow() {
	if r.r == 0 && r.w == len(r.buf) {
		r.Use(make([]byte, 2*len(r.buf)))
	}
}

// Use has the reader go on with another buffer, which has room for what is
// buffered.
func (r *Reader) Use(buf []byte) {
	r.w = copy(buf, r.buf[r.r:r.w])
	r.r, r.buf = 0, buf
}

// Head takes a head, to its empty line, and returns it, valid until the next
// call. Errors: io.EOF if the connection ends before its first byte, ErrLong,
// and those of the connection.
func (r *Reader) Head() ([]byte, error) {
	seen := 0
	for {
		have := r.Buffered()
		end, more := headEnd(have, seen)
		if end > MaxHead || end == 0 && len(have) >= MaxHead {
			return nil, ErrLong
		}
		if end > 0 {
			r.r += end
			return have[:end], nil
		}
		seen = more
		r.grow()
		if err := r.Fill(); err != nil {
			return nil, cut(err, len(have) > 0)
		}
	}
}

// headEnd finds the end of the first empty line of b, which is also where lines
// end with LF alone, but not before from. It is 0 if there is none yet; then
// the search may go on at next.
func headEnd(b []byte, from int) (end, next int) {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0, len(b)
		}
		i += from
		switch rest := b[i+1:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 2, 0
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 3, 0
		case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
			return 0, i
		}
		from = i + 1
	}
}

// cut is the error of a connection that ends inside of something.
func cut(err error, inside bool) error {
	if err == io.EOF && inside {
		return io.ErrUnexpectedEOF
	}
	return err
}
