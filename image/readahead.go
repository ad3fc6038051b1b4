package image

import (
	"errors"
	"io"
)

// errReadAheadClosed is what a closed readAhead gives; nobody is shown it.
var errReadAheadClosed = errors.New("read ahead closed")

// readAhead reads from another reader in a goroutine of its own, a few buffers
// ahead, so that the stages of a layer's pipeline run at the same time.
type readAhead struct {
	full chan chunk
	free chan []byte
	stop chan struct{}
	done chan struct{}

	rest []byte // unread part of buf
	buf  []byte // to be given back once rest is read
	err  error
}

type chunk struct {
	buf []byte
	n   int
	err error
}

// newReadAhead starts reading r with count buffers of size bytes. The caller
// must Close it, after making sure that a read of r in flight will end.
func newReadAhead(r io.Reader, count, size int) *readAhead {
	a := &readAhead{
		full: make(chan chunk, count), free: make(chan []byte, count),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	for range count {
		a.free <- nil // made when first used: most layers are small
	}
	go a.run(r, size)
	return a
}

func (a *readAhead) run(r io.Reader, size int) {
	defer close(a.done)
	for {
		var c chunk
		select {
		case c.buf = <-a.free:
		case <-a.stop:
			return
		}
		if c.buf == nil {
			c.buf = make([]byte, size)
		}
		c.n, c.err = fill(r, c.buf)
		a.full <- c // never blocks: there are no more chunks than room
		if c.err != nil {
			return
		}
	}
}

// fill is io.ReadFull that keeps the reader's own error.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

// Read gives what was read ahead, then the error of the underlying reader.
func (a *readAhead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		a.next()
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// WriteTo passes everything that is left on without copying it.
func (a *readAhead) WriteTo(w io.Writer) (total int64, err error) {
	for {
		n, err := w.Write(a.rest)
		total += int64(n)
		a.rest = a.rest[n:]
		if err != nil {
			return total, err
		}
		if a.err != nil {
			if errors.Is(a.err, io.EOF) {
				return total, nil
			}
			return total, a.err
		}
		a.next()
	}
}

// next gives the last buffer back and takes a filled one.
func (a *readAhead) next() {
	if a.buf != nil {
		a.free <- a.buf
		a.buf = nil
	}
	select {
	case c := <-a.full:
		a.buf, a.rest, a.err = c.buf, c.buf[:c.n], c.err
	case <-a.stop:
		a.err = errReadAheadClosed
	}
}

// Close ends the goroutine and waits for it. It may be called while another
// goroutine reads, which then gets an error.
func (a *readAhead) Close() error {
	close(a.stop)
	<-a.done
	return nil
}
