package ingress

import (
	"sync"
	"time"
)

// How many requests a connection may take back right after it has sent them: so
// many at once, and so many a second from then on. A browser takes back a page's
// worth now and then; who takes back all wants the work and not the answers.
const (
	resetBurst  = 500
	resetRate   = 50
	resetWithin = time.Second
)

// resets counts the requests that a connection has taken back. The zero value
// has seen none.
type resets struct {
	mu sync.Mutex
	// level is how full the bucket was at the moment at.
	level float64
	at    time.Time
}

// add counts one more, and reports whether that is too many.
func (r *resets) add(now time.Time) (tooMany bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.level = max(0, r.level-now.Sub(r.at).Seconds()*resetRate) + 1
	r.at = now
	return r.level > resetBurst
}

// tookBack notes that the client has taken the request back, and ends its
// connection where it does nothing else.
func (x *exchange) tookBack() {
	now := time.Now()
	if x.r.ProtoMajor == 2 && now.Sub(x.arrived) < resetWithin && x.peer.resets.add(now) {
		_ = x.peer.conn.Close() // its server sees it
	}
}
