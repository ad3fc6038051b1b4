package ingress

import (
	"net/http"
	"sync"
	"time"

	"runnel/ingress/forward"
)

// exchange is one request and its answer.
type exchange struct {
	door  *door
	peer  *peer
	entry *entry
	w     http.ResponseWriter
	r     *http.Request
	// host is what was asked for, as hostOf has it.
	host    string
	arrived time.Time
	trace   trace

	// target is the revision and instance the one that had the request last.
	target   *Target
	instance string
	// result is what became of it there.
	result forward.Result
	// deadlines guards those of the connection: they are near once the exchange
	// was cut off, and must not be touched once it is over.
	deadlines   sync.Mutex
	short, over bool
}

// ServeHTTP is the way of every request.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.server.requests.begin()
	defer d.server.requests.end()
	x := &exchange{door: d, peer: peerOf(r), w: w, r: r, arrived: time.Now()}
	defer x.leave()
	x.host = hostOf(r.Host)
	x.entry = d.server.table.Load().find(x.host)
	err := x.serve()
	status, text := x.result.Status, ""
	if err != nil {
		a := answerOf(err)
		text = a.text
		if a.status == statusClosed {
			x.tookBack()
		}
		if !x.result.Answered {
			status = a.status
			x.result.ResponseBytes = int64(a.write(w, r, x.isShort()))
		}
	} else {
		x.restore()
	}
	x.record(status, text)
	if err != nil && (x.result.Answered || status == statusClosed) {
		// The client must see that the answer is not complete, or that there is
		// none.
		panic(http.ErrAbortHandler)
	}
}

// serve has an instance answer, if one may.
func (x *exchange) serve() error {
	if err := check(x.r); err != nil {
		return err
	}
	if x.entry == nil {
		return errUnknown
	}
	x.trace = traceOf(x.r.Header)
	switch route := x.entry.route; {
	case route.Internal && !x.peer.internal:
		return errInternal
	case route.Disabled:
		return errDisabled
	}
	if err := x.authorize(); err != nil {
		return err
	}
	mark(x.r.Header, x.peer.remote, x.door.proto, x.trace)
	return x.dispatch()
}

// leave lets go of the connection.
func (x *exchange) leave() {
	x.deadlines.Lock()
	x.over = true
	short := x.short
	x.deadlines.Unlock()
	if x.peer.hijacked.Load() {
		<-x.door.server.connections
		return
	}
	if !short && x.r.Body != http.NoBody && x.r.ContentLength != 0 {
		// The server reads what is left of the body; it is not to take long.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(discardTimeout)) // a connection without deadlines has its own
	}
}

// cut has reads of the request's body end, and writes of its answer soon: a
// client that does neither must not hold an instance.
func (x *exchange) cut() {
	x.deadlines.Lock()
	defer x.deadlines.Unlock()
	if x.over || x.peer.hijacked.Load() {
		return
	}
	x.short = true
	c := http.NewResponseController(x.w)
	now := time.Now()
	if x.r.Body != http.NoBody && x.r.ContentLength != 0 {
		_ = c.SetReadDeadline(now) // as in leave
	}
	_ = c.SetWriteDeadline(now.Add(cutTimeout)) // as in leave
}

// isShort reports whether the exchange was cut off: then the connection is of no
// use for another one, as its deadlines stay.
func (x *exchange) isShort() bool {
	x.deadlines.Lock()
	defer x.deadlines.Unlock()
	return x.short
}

// restore takes the deadline off the connection of an answer that was complete
// when it was cut off.
func (x *exchange) restore() {
	x.deadlines.Lock()
	defer x.deadlines.Unlock()
	x.over = true
	if x.short && !x.peer.hijacked.Load() {
		_ = http.NewResponseController(x.w).SetWriteDeadline(time.Time{}) // as in leave
	}
}
