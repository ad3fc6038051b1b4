package forward

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
)

// newConns is kept connections to an instance that says nothing, and ends with
// the test.
func newConns(t *testing.T) *conns {
	addr := newRaw(t, func(_ net.Conn, in *bufio.Reader) { readHead(in) })
	p := &conns{addr: netip.MustParseAddrPort(addr)}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// dialed is a new connection, whose last request ended when ago.
func dialed(t *testing.T, p *conns, ago time.Duration) *conn {
	t.Helper()
	c, err := p.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.since = time.Now().Add(-ago)
	return c
}

// isOpen reports whether c can still be used.
func isOpen(c *conn) bool { return c.SetDeadline(time.Time{}) == nil }

func TestLastUsedConnectionIsUsedFirst(t *testing.T) {
	t.Parallel()
	p := newConns(t)
	first, last := dialed(t, p, 2*time.Second), dialed(t, p, time.Second/2)
	p.put(first)
	p.put(last)
	for _, want := range []*conn{last, first} {
		if c, err := p.get(t.Context(), idleTime); err != nil || c != want {
			t.Fatalf("%p, %v, want %p", c, err, want)
		}
		defer want.Close()
	}
}

// contract: REQ-9
func TestRequestThatGoesOnceGetsAConnectionThatIsSurelyOpen(t *testing.T) {
	t.Parallel()
	p := newConns(t)
	old := dialed(t, p, surelyOpen+time.Second)
	p.put(old)
	c, err := p.get(t.Context(), surelyOpen)
	if err != nil || c == old || c.kept() {
		t.Fatalf("%+v, %v", c, err)
	}
	defer c.Close()
	if again, err := p.get(t.Context(), idleTime); err != nil || again != old {
		t.Errorf("the old one is lost to others: %v", err)
	}
	defer old.Close()
}

func TestConnectionsThatNobodyNeedsEnd(t *testing.T) {
	t.Parallel()
	p := newConns(t)
	var old []*conn
	for range 5 {
		c := dialed(t, p, idleTime+time.Minute)
		old = append(old, c)
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	}
	for want := 4; want >= 2; want -= 2 {
		c := dialed(t, p, 0)
		p.put(c)
		if got, err := p.get(t.Context(), surelyOpen); err != nil || got != c {
			t.Fatal(err)
		}
		c.Close()
		open := 0
		for _, c := range old {
			if isOpen(c) {
				open++
			}
		}
		if open != want-1 {
			t.Errorf("%d of the old ones are open, want %d", open, want-1)
		}
	}
	// One that is too old for anybody is not used either.
	c, err := p.get(t.Context(), idleTime)
	if err != nil || c.kept() || isOpen(old[4]) {
		t.Errorf("%+v, %v", c, err)
	}
	c.Close()
}

func TestClosedHopKeepsNothing(t *testing.T) {
	t.Parallel()
	p := newConns(t)
	idle, busy := dialed(t, p, 0), dialed(t, p, 0)
	p.put(idle)
	if err := p.close(); err != nil {
		t.Error(err)
	}
	p.put(busy)
	if isOpen(idle) || isOpen(busy) {
		t.Errorf("open: the idle one %v, the busy one %v", isOpen(idle), isOpen(busy))
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p := newConns(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStopped)
	if c, err := p.dial(ctx); err != errStopped {
		t.Errorf("%v, %v", c, err)
	}
}
