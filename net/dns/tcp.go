package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// tcpServer serves one listener.
type tcpServer struct {
	server   *Server
	listener net.Listener
	slots    chan struct{} // held by connections
}

func (t *tcpServer) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = t.listener.Close() }) // ends the accept
	defer stop()

	for {
		// Without a slot the next connection waits in the kernel's queue.
		select {
		case t.slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := t.accept(ctx)
		if err != nil {
			_ = t.listener.Close() // nobody accepts any more
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		conns.Go(func() {
			defer func() { <-t.slots }()
			t.serveConn(ctx, conn)
		})
	}
}

// How long an accept that failed is followed by nothing: the shortest time, and
// the longest after it has failed again and again.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// accept waits for the next connection, and through the times when there is no
// room for one.
func (t *tcpServer) accept(ctx context.Context) (net.Conn, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		conn, err := t.listener.Accept()
		if err == nil || !passing(err) {
			return conn, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// passing reports whether an accept failed for a reason that goes away: the
// daemon or the host is short of descriptors or memory, or who called has hung
// up already.
func passing(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED:
		return true
	}
	return false
}

// serveConn answers the queries of one connection, one after another, until the
// asker stops or the connection idles.
func (t *tcpServer) serveConn(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	for {
		if conn.SetReadDeadline(time.Now().Add(idleTimeout)) != nil {
			return
		}
		query, err := readTCP(conn)
		if err != nil {
			return
		}
		answer := t.server.answer(ctx, "tcp", query)
		if answer == nil || conn.SetWriteDeadline(time.Now().Add(idleTimeout)) != nil || writeTCP(conn, answer) != nil {
			return
		}
	}
}
