package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
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
		conn, err := t.listener.Accept()
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
