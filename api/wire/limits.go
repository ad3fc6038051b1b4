package wire

import (
	"sync"
	"time"
)

// What one caller may cost.
const (
	// maxConnections is how many connections a listener has at once. More wait
	// in the kernel.
	maxConnections = 8192
	// maxCalls is how many calls are in progress at once. More are refused.
	maxCalls = 4096
	// ownCalls is how many of them only callers by a unix socket may have: who
	// runs this machine is heard however many others wait or listen.
	ownCalls = 256
	// maxStreams is how many calls one HTTP/2 connection carries at once.
	maxStreams = 250
	// maxHeader is the size of a request's line and headers, in bytes.
	maxHeader = 64 << 10
	// maxBody is the size of a body or of a gRPC message, in bytes.
	maxBody = 4 << 20
)

// times are how long a caller may take.
type times struct {
	// header: the first byte, a TLS handshake, and a header, each.
	header time.Duration
	// body: a whole body.
	body time.Duration
	// idle: until the next call on a connection.
	idle time.Duration
	// write: taking anything of an answer.
	write time.Duration
	// end: the end of calls that were told to end.
	end time.Duration
}

// patient are the times of every server but those of tests.
func patient() times {
	return times{header: 30 * time.Second, body: 30 * time.Second, idle: 2 * time.Minute, write: 30 * time.Second, end: 10 * time.Second}
}

// calls counts the calls in progress. It is safe for concurrent use.
type calls struct {
	// max is how many there may be, own how many of them are for callers by a
	// unix socket alone.
	max, own int

	mu sync.Mutex // guards what follows
	n  int
	// idle is closed when n becomes 0, nil while nobody waits for that.
	idle chan struct{}
}

// begin counts a call, unless there are too many for a caller.
func (c *calls) begin(p peer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := c.max
	if !p.unix {
		most -= c.own
	}
	if c.n >= most {
		return false
	}
	c.n++
	return true
}

// end ends what begin began.
func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n--
	if c.n == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// wait waits until there are no calls, for at most the time given.
func (c *calls) wait(atMost time.Duration) bool {
	c.mu.Lock()
	if c.n == 0 {
		c.mu.Unlock()
		return true
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}
