package ingress

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"runnel/contract"
)

// What one client may hold, and for how long.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// discardTimeout is for how long the rest of a body is read that nobody
	// wants.
	discardTimeout = 5 * time.Second
	// pingAfter is how long an HTTP/2 connection may be silent before its client
	// is asked whether it lives; pingTimeout how long it may take to say so.
	pingAfter   = time.Minute
	pingTimeout = 15 * time.Second
	// writeTimeout is how long an HTTP/2 connection may take nothing.
	writeTimeout = time.Minute

	defaultConnections = 8192
)

// front makes the HTTP server of one listener.
func (s *Server) front(c ListenerConfig) *http.Server {
	d := &door{server: s, isInternal: c.Internal, proto: "http"}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(c.TLS == nil)
	protocols.SetHTTP2(c.TLS != nil)
	front := &http.Server{
		Handler:           d,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		// The server allows 4 KiB more than it is told.
		MaxHeaderBytes:               int(contract.MaxRequestHeader) - 4096,
		DisableGeneralOptionsHandler: true,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: contract.MaxStreams,
			SendPingTimeout:      pingAfter,
			PingTimeout:          pingTimeout,
			WriteByteTimeout:     writeTimeout,
		},
		BaseContext: func(net.Listener) context.Context { return s.base },
		ConnContext: d.connected,
		ConnState:   d.connection,
		// What a client does wrong is nobody's concern but its own.
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if c.TLS != nil {
		d.proto = "https"
		front.TLSConfig = c.TLS.Clone()
	}
	return front
}

// door is where requests come in by one listener.
type door struct {
	server *Server
	// isInternal is ListenerConfig.Internal.
	isInternal func(local net.Addr) bool
	// proto is what clients speak: http or https.
	proto string
	// peers are those of the open connections, by net.Conn.
	peers sync.Map
}

// peer is the two ends of a connection.
type peer struct {
	conn                net.Conn
	remote, local, port string
	// internal says that internal services may be asked for.
	internal bool
	resets   resets
	// hijacked says that a request has taken the connection over.
	hijacked atomic.Bool
}

// peerKey is the key of a connection's peer in the contexts of its requests.
type peerKey struct{}

// connected notes who is at the other end.
func (d *door) connected(ctx context.Context, c net.Conn) context.Context {
	p := &peer{conn: c}
	p.remote, _ = split(c.RemoteAddr())
	p.local, p.port = split(c.LocalAddr())
	p.internal = d.isInternal != nil && d.isInternal(c.LocalAddr())
	d.peers.Store(c, p)
	return context.WithValue(ctx, peerKey{}, p)
}

// split is an address and its port.
func split(a net.Addr) (host, port string) {
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return ap.Addr().Unmap().WithZone("").String(), strconv.Itoa(int(ap.Port()))
	}
	return "127.0.0.1", "0" // a unix socket's
}

// connection follows a connection through its life.
func (d *door) connection(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateClosed:
		d.peers.Delete(c)
		<-d.server.connections
	case http.StateHijacked:
		// It counts until its request is over.
		if p, ok := d.peers.LoadAndDelete(c); ok {
			p.(*peer).hijacked.Store(true)
		}
	}
}

// peerOf is the peer of a request.
func peerOf(r *http.Request) *peer {
	p, _ := r.Context().Value(peerKey{}).(*peer)
	if p == nil {
		return &peer{} // none of this package's listeners
	}
	return p
}

// bounded takes a connection only while there is room in open. What it returns
// is the plain connection, so that the kernel can be asked to copy; whoever
// closes it takes one element out of open.
type bounded struct {
	net.Listener
	open  chan struct{}
	done  chan struct{}
	close sync.Once
}

// Accept waits for room, and then for a connection.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.open <- struct{}{}:
	case <-b.done:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.open
	}
	return c, err
}

// Close ends Accept.
func (b *bounded) Close() error {
	b.close.Do(func() { close(b.done) })
	return b.Listener.Close()
}
