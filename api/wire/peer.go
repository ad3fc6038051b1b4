package wire

import (
	"context"
	"crypto/tls"
	"net"
)

// peer is the other end of a connection.
type peer struct {
	// unix: it came by a unix socket, as user name.
	unix bool
	name string
	// local: it is a process of this machine.
	local bool
}

// peerKey finds the peer in the context of a connection.
type peerKey struct{}

// withPeer puts the peer of a connection into its context.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if b, ok := c.(*conn); ok {
		c = b.Conn
	}
	p := peer{local: isLoopback(c.RemoteAddr())}
	if u, ok := c.(*net.UnixConn); ok {
		p = peer{unix: true, local: true, name: userOf(u)}
	}
	return context.WithValue(ctx, peerKey{}, p)
}

// peerOf is the peer in a context: a stranger if there is none.
func peerOf(ctx context.Context) peer {
	p, _ := ctx.Value(peerKey{}).(peer)
	return p
}

// isUnix reports whether an address is a unix socket's.
func isUnix(a net.Addr) bool { return a.Network() == "unix" }

// isLoopback reports whether only this machine can be at, or reach, an address.
func isLoopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}
