package wire

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// handshake is the first byte of every TLS connection, and of no HTTP request.
const handshake = 0x16

// acceptPause is how long to wait after an error of Accept, which is most
// likely that the process has no descriptor left.
const acceptPause = 100 * time.Millisecond

// split parts the connections of a listener: those that begin with a TLS
// handshake, and the others.
type split struct {
	ln            net.Listener
	plain, secure *half
	// atMost is how long the first byte may take.
	atMost   time.Duration
	closed   chan struct{}
	once     sync.Once
	sniffing sync.WaitGroup

	mu      sync.Mutex // guards what follows
	waiting map[net.Conn]bool
}

// half is the listener of one kind of connections. Closing it closes both.
type half struct {
	*split
	conns chan net.Conn
}

// newSplit parts the connections of ln, once run runs, if their first byte comes
// in time. Connections of ln are of type *conn.
func newSplit(ln net.Listener, atMost time.Duration) *split {
	s := &split{ln: ln, atMost: atMost, closed: make(chan struct{}), waiting: map[net.Conn]bool{}}
	s.plain = &half{s, make(chan net.Conn)}
	s.secure = &half{s, make(chan net.Conn)}
	return s
}

// run hands connections to the halves until one of them is closed.
func (s *split) run() {
	defer s.sniffing.Wait()
	defer s.stop()
	for {
		c, err := s.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !s.pause() {
				return
			}
			continue
		}
		s.sniffing.Go(func() { s.sniff(c.(*conn)) })
	}
}

// pause lets a shortage of descriptors pass. It is false if s is stopped.
func (s *split) pause() bool {
	timer := time.NewTimer(acceptPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closed:
		return false
	}
}

// sniff waits for the first byte of c and hands c to the half it belongs to.
func (s *split) sniff(c *conn) {
	if !s.hold(c) {
		_ = c.Close()
		return
	}
	first := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(s.atMost))
	_, err := io.ReadFull(c, first)
	if !s.release(c) || err != nil || c.SetReadDeadline(time.Time{}) != nil {
		_ = c.Close()
		return
	}
	c.first = first
	to := s.plain
	if first[0] == handshake {
		to = s.secure
	}
	select {
	case to.conns <- c:
	case <-s.closed:
		_ = c.Close()
	}
}

// hold notes that c has not said anything yet. It is false after stop.
func (s *split) hold(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		return false
	}
	s.waiting[c] = true
	return true
}

// release ends what hold began. It is false after stop.
func (s *split) release(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, c)
	return s.waiting != nil
}

// stop ends both halves, and the connections that have not said anything.
func (s *split) stop() {
	s.once.Do(func() {
		close(s.closed)
		_ = s.ln.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.waiting {
			_ = c.Close()
		}
		s.waiting = nil
	})
}

// Accept implements net.Listener.
func (h *half) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *half) Close() error {
	h.stop()
	return nil
}

// Addr implements net.Listener.
func (h *half) Addr() net.Addr { return h.ln.Addr() }
