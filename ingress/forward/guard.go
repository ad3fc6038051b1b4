package forward

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// guard ends an exchange at once when the context of its request ends, wherever
// it is waiting.
type guard struct {
	client *http.ResponseController
	stop   func() bool

	mu sync.Mutex
	// conn is closed by the end of the context; nil if there is none. Guarded
	// by mu, as all below is.
	conn *conn
	// hijacked is the client's connection once it belongs to nobody else.
	hijacked net.Conn
	// answering says that the client has a part of the answer, so that nothing
	// else can be said to it.
	answering bool
	// fired says that the context has ended, over that nobody is interested.
	fired, over bool
}

// newGuard watches over a request until release.
func newGuard(ctx context.Context, client *http.ResponseController) *guard {
	g := &guard{client: client, stop: func() bool { return true }}
	if ctx.Done() != nil {
		g.stop = context.AfterFunc(ctx, g.fire)
	}
	return g
}

func (g *guard) fire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	g.fired = true
	if g.conn != nil {
		_ = g.conn.Close() // Its user sees it.
	}
	if g.hijacked != nil {
		_ = g.hijacked.Close() // Its user sees it.
	} else if g.answering {
		_ = g.client.SetWriteDeadline(past()) // Not every writer has one.
	}
}

// hold has c, in place of the one before, closed by the end of the context; nil
// for none.
func (g *guard) hold(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn = c; g.fired && c != nil {
		_ = c.Close() // Its user sees it.
	}
}

// answer says that the answer begins, if it may.
func (g *guard) answer() (may bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answering = !g.fired
	return g.answering
}

// release ends the watch, and reports whether the context has not ended.
func (g *guard) release() (whole bool) {
	g.stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	return !g.fired
}

// past is a deadline that is over: it ends a wait that is under way.
func past() time.Time { return time.Unix(1, 0) }

// also has client closed by the end of the context, which no deadline ends any
// more.
func (g *guard) also(client net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hijacked = client; g.fired {
		_ = client.Close() // Its user sees it.
	}
}
