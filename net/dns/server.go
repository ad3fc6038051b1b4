package dns

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Bounds of what instances may ask of the daemon.
const (
	// maxQueries is how many queries of all instances may be under way to the
	// host's resolvers: each holds a descriptor.
	maxQueries = 1024
	// maxSocketQueries is the same for one instance's UDP socket. Beyond, its
	// queries wait in the socket and, when that is full, are lost.
	maxSocketQueries = 64
	// maxListenerConns is how many TCP connections of one instance are served
	// at a time.
	maxListenerConns = 16
	// maxMessage is the largest message that a length prefix can announce.
	maxMessage = 65535
	// idleTimeout ends a TCP connection that sends no query.
	idleTimeout = 10 * time.Second
)

// defaultTimeout is how long one upstream is waited for. With the three that a
// resolv.conf can name it is still less than the five seconds after which
// stub resolvers ask again.
const defaultTimeout = 1500 * time.Millisecond

// Config describes a Server. The zero value answers every query SERVFAIL.
type Config struct {
	// Upstreams are asked in this order: the next when one does not answer. If
	// there are none, they are read from ResolvConf.
	Upstreams []netip.AddrPort
	// ResolvConf is the path of the host's resolv.conf. It is read again when
	// it has changed.
	ResolvConf string
	// Hosts are the names that are answered here, with or without the dot at
	// the end. Their addresses' reverse names are answered too. A name that
	// begins with "*." stands for every name below the rest, and has no reverse.
	Hosts map[string]netip.Addr
	// Timeout is how long one upstream is waited for; 1.5 seconds if zero.
	Timeout time.Duration
}

// Server answers queries. Its methods are safe for concurrent use, and one
// Server serves any number of sockets.
type Server struct {
	hosts    hosts
	upstream *forwarder
}

// New returns a Server. It copies what it needs of c.
func New(c Config) *Server {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return &Server{
		hosts: newHosts(c.Hosts),
		upstream: &forwarder{
			resolvers: &resolvers{fixed: append([]netip.AddrPort(nil), c.Upstreams...), path: c.ResolvConf},
			timeout:   timeout,
			slots:     make(chan struct{}, maxQueries),
		},
	}
}

// ServeUDP answers the queries that come in by conn until ctx is done or conn
// is closed, and then returns nil; it returns an error only if reading fails.
// It closes conn.
func (s *Server) ServeUDP(ctx context.Context, conn net.PacketConn) error {
	return (&udpServer{server: s, conn: conn, slots: make(chan struct{}, maxSocketQueries)}).serve(ctx)
}

// ServeTCP is the same for a listener. While the daemon has no descriptor or no
// memory for another connection, those that come wait in the kernel's queue.
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	return (&tcpServer{server: s, listener: l, slots: make(chan struct{}, maxListenerConns)}).serve(ctx)
}

// local answers a query that needs no upstream; nil with forward set says that
// it does, nil without that it deserves no answer.
func (s *Server) local(query []byte) (answer []byte, forward bool) {
	q, err := parse(query)
	switch {
	case err != nil:
		return nil, false
	case q.verdict != verdictFine:
		return q.refuse(q.verdict), false
	}
	if answer := s.hosts.answer(q); answer != nil {
		return answer, false
	}
	return nil, true
}

// answer answers a query over the given network, "udp" or "tcp". Nil says that
// it deserves no answer.
func (s *Server) answer(ctx context.Context, network string, query []byte) []byte {
	answer, forward := s.local(query)
	if !forward {
		return answer
	}
	if answer, err := s.upstream.exchange(ctx, network, query); err == nil {
		return answer
	}
	return servFail(query)
}
