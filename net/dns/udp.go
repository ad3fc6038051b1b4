package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// maxQuery is the longest query taken by UDP. A query is a name and an option
// or two; what is longer is cut and then refused as malformed.
const maxQuery = 4096

// udpServer serves one socket.
type udpServer struct {
	server *Server
	conn   net.PacketConn
	slots  chan struct{} // held by the queries being forwarded
}

func (u *udpServer) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var forwards sync.WaitGroup
	defer forwards.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = u.conn.Close() }) // ends the read
	defer stop()

	buf := make([]byte, maxQuery)
	for {
		n, from, err := u.conn.ReadFrom(buf)
		if err != nil {
			_ = u.conn.Close() // nobody reads it any more
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("read query: %w", err)
		}
		answer, forward := u.server.local(buf[:n])
		if !forward {
			u.send(answer, from)
			continue
		}
		select {
		case u.slots <- struct{}{}:
		case <-ctx.Done():
			continue // the next read fails
		}
		query := append([]byte(nil), buf[:n]...)
		forwards.Go(func() {
			defer func() { <-u.slots }()
			u.send(u.server.answer(ctx, "udp", query), from)
		})
	}
}

// send sends an answer, if there is one. One that cannot be sent is like one
// that was lost on the way: the asker asks again.
func (u *udpServer) send(answer []byte, to net.Addr) {
	if answer != nil {
		_, _ = u.conn.WriteTo(answer, to)
	}
}
