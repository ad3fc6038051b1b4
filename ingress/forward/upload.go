package forward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"runnel/ingress/http1"
)

const (
	// continueTime is how long an instance may take to ask for a body; those of
	// HTTP/1.0 never do.
	continueTime = time.Second
	// settleTime is how long the last piece of a body, of which the instance has
	// answered already, may be on its way until the connection is given up.
	settleTime = 50 * time.Millisecond
	// lingerTime is how long a client may go on sending that has its answer,
	// lingerBytes how much it may send.
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
	// prefix is the room before a chunk for its size, suffix the one after it.
	prefix = 8
	suffix = 2
)

// errStopped is what those see who read a body that is not wanted any more.
var errStopped = errors.New("body is not read any more")

// upload is the body of a request on its way to the instance.
type upload struct {
	body   io.Reader
	client *http.ResponseController
	// major is the client's version of HTTP.
	major int
	// trailer is filled when the body has been read.
	trailer http.Header
	// proceed is closed when the instance wants the body; nil if it need not be
	// asked. done is closed when nothing is under way any more.
	proceed, done chan struct{}
	proceedOnce   sync.Once

	// whole says that all of the body has been read, stopped that no more of it
	// may be.
	whole, stopped atomic.Bool
	bytes          atomic.Int64
	// reading is held while the body is read; it guards err, why that was not
	// possible.
	reading sync.Mutex
	err     error
}

func newUpload(r *http.Request, client *http.ResponseController) *upload {
	_ = client.EnableFullDuplex() // HTTP/2 always is; others cannot answer early.
	return &upload{body: r.Body, major: r.ProtoMajor, trailer: r.Trailer, client: client, done: make(chan struct{})}
}

// Read reads the body, until stop.
func (u *upload) Read(p []byte) (int, error) {
	u.reading.Lock()
	defer u.reading.Unlock()
	if u.stopped.Load() {
		return 0, errStopped
	}
	n, err := u.body.Read(p)
	u.bytes.Add(int64(n))
	if err == io.EOF {
		u.whole.Store(true)
	} else if err != nil && !u.stopped.Load() {
		u.err = err
	}
	return n, err
}

// stop has the body read no more, and returns when nobody does. Where nobody has
// been reading, the rest can still be had from the client, for another instance.
func (u *upload) stop() {
	u.stopped.Store(true)
	if u.reading.TryLock() {
		u.reading.Unlock()
		return
	}
	if !u.whole.Load() {
		_ = u.client.SetReadDeadline(past()) // Who has none is not waiting.
	}
	u.reading.Lock()
	defer u.reading.Unlock()
}

// failure is why the body could not be read; nil if it could, or nobody knows
// yet.
func (u *upload) failure() error {
	if u == nil || !u.reading.TryLock() {
		return nil
	}
	defer u.reading.Unlock()
	var broken *net.OpError
	switch {
	case u.err == nil:
		return nil
	case errors.Is(u.err, io.ErrUnexpectedEOF), errors.As(u.err, &broken):
		return clientGone(u.err)
	}
	return fmt.Errorf("%w: body: %w", ErrBadRequest, u.err)
}

// ask says that the instance wants the body.
func (u *upload) ask() {
	if u != nil && u.proceed != nil {
		u.proceedOnce.Do(func() { close(u.proceed) })
	}
}

// invited reports whether the client need not wait before it sends the body.
func (u *upload) invited() bool {
	if u.proceed == nil {
		return true
	}
	select {
	case <-u.proceed:
		return true
	default:
		return false
	}
}

// wait returns when the instance has asked for the body, or is not expected to.
func (u *upload) wait() {
	if u.proceed == nil {
		return
	}
	t := time.NewTimer(continueTime)
	defer t.Stop()
	select {
	case <-u.proceed:
	case <-t.C:
	}
}

// run sends the body to c. If it cannot be read, it closes c: the instance must
// not take a part for the whole.
func (u *upload) run(c *conn, length int64, from *buffers) {
	defer close(u.done)
	u.wait()
	buf := from.get(length)
	defer func() { from.put(buf) }()
	var sent int64
	for {
		buf = from.fit(buf, sent)
		out, more, err := u.piece(buf, length, sent)
		if err != nil {
			_ = c.Close() // Nothing more goes to it, and its reader is to know.
			return
		}
		if len(out) > 0 {
			// An error is none: the instance may have answered before.
			if _, err := c.Write(out); err != nil {
				return
			}
		}
		if sent += int64(len(out)); !more {
			return
		}
	}
}

// piece reads a piece of the body into buf, and frames it.
func (u *upload) piece(buf []byte, length, sent int64) (out []byte, more bool, err error) {
	if length > 0 {
		n, err := u.Read(buf[:min(int64(len(buf)), length-sent)])
		if sent += int64(n); sent == length {
			u.whole.Store(true)
			return buf[:n], false, nil
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return buf[:n], true, err
	}
	n, err := u.Read(buf[prefix : len(buf)-suffix])
	out = chunk(buf, n)
	if err == io.EOF {
		return u.appendEnd(out), false, nil
	}
	return out, true, err
}

// chunk frames the n bytes at prefix.
func chunk(buf []byte, n int) []byte {
	if n == 0 {
		return buf[:0]
	}
	var size [prefix]byte
	line := append(strconv.AppendUint(size[:0], uint64(n), 16), "\r\n"...)
	begin := prefix - len(line)
	copy(buf[begin:], line)
	return append(buf[begin:prefix+n], "\r\n"...)
}

// appendEnd appends the last chunk, which is empty, and the trailers.
func (u *upload) appendEnd(b []byte) []byte {
	b = append(b, "0\r\n"...)
	for name, values := range u.trailer {
		for _, value := range values {
			if mayTrail(name) && http1.IsValue(value) {
				b = appendField(b, name, value)
			}
		}
	}
	return append(b, "\r\n"...)
}

// settle ends the upload, and reports whether the instance has got all of it:
// then c can be used again. Else c is closed. After an answer, a client over
// HTTP/1 may go on for a moment: if what it sends were met by the end of the
// connection, it would lose the answer.
func (u *upload) settle(c *conn, answered bool) (whole bool) {
	if u.whole.Load() {
		t := time.NewTimer(settleTime)
		defer t.Stop()
		select {
		case <-u.done:
			return true
		case <-t.C:
		}
	}
	_ = c.Close() // Ends a write that is under way.
	linger := answered && u.major == 1 && u.invited() && u.client.Flush() == nil && u.client.SetReadDeadline(time.Now().Add(lingerTime)) == nil
	if !linger {
		u.stop()
	}
	u.ask()
	<-u.done
	if linger {
		u.discard()
		u.stop()
	}
	return false
}

// discard reads what comes of the body until it ends, or its deadline.
func (u *upload) discard() {
	var buf [4 << 10]byte
	for range lingerBytes / len(buf) {
		if _, err := u.Read(buf[:]); err != nil {
			return
		}
	}
}
