package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"runnel/ingress/http1"
)

// errUnheard says that a connection that had been kept was closed before a byte
// of the answer.
var errUnheard = errors.New("instance has closed the connection")

// exchange is one request over HTTP/1.1 and its answer. It is used again for
// others, with what it has allocated.
type exchange struct {
	hop *Hop
	buf [smallBuffer]byte
	out []byte
	in  http1.Reader
	// flush is x.flushWaiting, made one time only.
	flush func()

	w      http.ResponseWriter
	r      *http.Request
	client *http.ResponseController
	guard  *guard
	conn   *conn
	upload *upload // nil if there is no body

	response
	res Result
}

func newExchange(h *Hop) *exchange {
	x := &exchange{hop: h, out: make([]byte, 0, 2<<10)}
	x.flush = x.flushWaiting
	return x
}

// serve forwards r once, or twice if a kept connection turns out to be closed
// and the request is one that may be sent twice.
func (x *exchange) serve(w http.ResponseWriter, r *http.Request) Result {
	if err := check(r); err != nil {
		return Result{Err: err}
	}
	x.w, x.r, x.res = w, r, Result{}
	x.client = http.NewResponseController(w)
	x.guard = newGuard(r.Context(), x.client)
	err := x.attempt()
	x.guard.release()
	if err != nil && r.Context().Err() != nil {
		err = context.Cause(r.Context())
	}
	if err != nil && !x.res.Answered && x.upload != nil {
		x.closeClient()
	}
	res := x.res
	res.Err = err
	x.w, x.r, x.client, x.guard, x.conn, x.upload = nil, nil, nil, nil, nil, nil
	x.res = Result{}
	x.response.forget()
	return res
}

// replayable reports whether r may be sent again if it is not known what the
// instance made of it.
func replayable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return !hasBody(r) && upgradeOf(r) == ""
	}
	return false
}

func (x *exchange) attempt() error {
	ctx, replay := x.r.Context(), replayable(x.r)
	age := idleTime
	if !replay {
		age = surelyOpen
	}
	c, err := x.hop.conns.get(ctx, age)
	if err != nil {
		return err
	}
	err = x.run(c)
	if err == errUnheard && replay && ctx.Err() == nil {
		if c, err = x.hop.conns.dial(ctx); err == nil {
			err = x.run(c)
		}
	}
	if err == errUnheard {
		err = fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return err
}

// run sends the request by c, and passes the answer on. It takes c over.
func (x *exchange) run(c *conn) error {
	x.conn = c
	x.guard.hold(c)
	c.look.before = nil
	x.in.Reset(c.look, x.buf[:])
	upgrade := upgradeOf(x.r)
	wait := hasBody(x.r) && http1.HasToken(x.r.Header.Get("Expect"), "100-continue")
	x.out = appendHead(x.out[:0], x.r, upgrade, wait)
	x.res.Sent = true
	x.res.RequestBytes = int64(len(x.out))
	_, err := c.Write(x.out)
	if err == nil && hasBody(x.r) {
		x.send(wait)
	}
	// A write may fail because the instance has answered and closed.
	reuse, readErr := x.answer(upgrade)
	if x.upload != nil {
		reuse = x.upload.settle(c, readErr == nil) && reuse
		x.res.RequestBytes += x.upload.bytes.Load()
	}
	x.finish(c, reuse && readErr == nil && err == nil)
	return readErr
}

// send begins to send the body.
func (x *exchange) send(wait bool) {
	u := newUpload(x.r, x.client)
	if wait {
		u.proceed = make(chan struct{})
	}
	x.upload = u
	go u.run(x.conn, x.r.ContentLength, &x.hop.buffers)
}

// finish keeps c for another request, or closes it.
func (x *exchange) finish(c *conn, reuse bool) {
	x.guard.hold(nil)
	if x.large != nil {
		x.hop.buffers.put(x.large)
		x.large = nil
	}
	if reuse && len(x.in.Buffered()) == 0 && x.r.Context().Err() == nil {
		c.since = time.Now()
		x.hop.conns.put(c)
		return
	}
	_ = c.Close() // Nothing more is expected of it.
}

// broken is the error of a read from the instance or a write to it; before says
// that nothing of the answer had come.
func (x *exchange) broken(err error, before bool) error {
	if failure := x.upload.failure(); failure != nil {
		return failure
	}
	if before && x.conn.kept() && !errors.Is(err, http1.ErrSyntax) && !errors.Is(err, http1.ErrLong) {
		return errUnheard
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %v", ErrMalformed, err)
}

// closeClient asks for the client's connection to be closed after the answer,
// because what is left of the request's body stands in the way of the next one.
func (x *exchange) closeClient() {
	if x.r.ProtoMajor == 1 && !x.upload.whole.Load() {
		x.w.Header()["Connection"] = []string{"close"}
	}
}
