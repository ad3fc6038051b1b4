package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"runnel/contract"
)

const (
	// dialTime is how long an instance on this host may take to accept.
	dialTime = 10 * time.Second
	// maxIdle is how many connections are kept: as many as requests that an
	// instance may have.
	maxIdle = contract.MaxConcurrency
	// idleTime is how long a connection is kept without a request.
	idleTime = time.Minute
	// surelyOpen is how long a connection may have been idle for a request that
	// cannot be tried again: servers are known to close idle ones after two
	// seconds, and may do so just when the request is on its way.
	surelyOpen = time.Second
)

// conns are the connections to one instance that no request uses. Safe for
// concurrent use.
type conns struct {
	addr netip.AddrPort

	mu sync.Mutex
	// idle has the one used last at its end. Guarded by mu, as closed is.
	idle   []*conn
	closed bool
}

// conn is a connection to an instance.
type conn struct {
	*net.TCPConn
	look *look
	// since is when its last request ended; zero before the first one.
	since time.Time
}

// kept reports whether c has had a request before this one.
func (c *conn) kept() bool { return !c.since.IsZero() }

// get returns a connection that has been idle for age at most, or a new one.
func (p *conns) get(ctx context.Context, age time.Duration) (*conn, error) {
	now := time.Now()
	for {
		c := p.pop()
		if c == nil {
			return p.dial(ctx)
		}
		switch idle := now.Sub(c.since); {
		case idle > age && idle <= idleTime:
			// Those below it are older. Another request may use it.
			p.put(c)
			return p.dial(ctx)
		case idle <= age && c.look.quiet():
			return c, nil
		}
		_ = c.Close() // Nothing was under way on it.
	}
}

// pop takes the connection that was used last.
func (p *conns) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle[len(p.idle)-1] = nil
	p.idle = p.idle[:len(p.idle)-1]
	return c
}

// dial makes a connection. Its error is ErrUnreachable, or the cause of ctx's
// end.
func (p *conns) dial(ctx context.Context) (*conn, error) {
	d := net.Dialer{Timeout: dialTime, KeepAlive: -1}
	tcp, err := d.DialTCP(ctx, "tcp", netip.AddrPort{}, p.addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %v", ErrUnreachable, err)
	}
	look, err := newLook(tcp)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %v", ErrUnreachable, err), tcp.Close())
	}
	return &conn{TCPConn: tcp, look: look}, nil
}

// put keeps c for the next request. Of those that nobody has needed for long,
// it closes two, so that their number follows the load.
func (p *conns) put(c *conn) {
	var old [2]*conn
	p.mu.Lock()
	if p.closed || len(p.idle) >= maxIdle {
		old[0] = c
	} else {
		p.idle = append(p.idle, c)
		n := 0
		for n < min(len(old), len(p.idle)-1) && c.since.Sub(p.idle[n].since) > idleTime {
			old[n] = p.idle[n]
			n++
		}
		if n > 0 {
			p.idle = append(p.idle[:0], p.idle[n:]...)
		}
	}
	p.mu.Unlock()
	for _, c := range old {
		if c != nil {
			_ = c.Close() // Nothing was under way on it.
		}
	}
}

// close ends the idle ones, and has those that come back end too.
func (p *conns) close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
