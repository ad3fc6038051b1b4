package net

import (
	"context"
	"fmt"
	stdnet "net"
	"net/netip"
	"os"
)

// Listen opens a TCP listener inside the instance's namespace; accepting and
// serving need nothing special. Network is "tcp" or "tcp4", addr an IPv4 address
// and port such as ServiceAddress + ":80". The caller must Close it.
func (a *Attachment) Listen(network, addr string) (stdnet.Listener, error) {
	if network != "tcp" && network != "tcp4" {
		return nil, stdnet.UnknownNetworkError(network)
	}
	var l stdnet.Listener
	err := a.listen(network, addr, func(c *stdnet.ListenConfig) (err error) {
		l, err = c.Listen(context.Background(), "tcp4", addr)
		return err
	})
	return l, err
}

// ListenPacket is the same for UDP: network is "udp" or "udp4".
func (a *Attachment) ListenPacket(network, addr string) (stdnet.PacketConn, error) {
	if network != "udp" && network != "udp4" {
		return nil, stdnet.UnknownNetworkError(network)
	}
	var p stdnet.PacketConn
	err := a.listen(network, addr, func(c *stdnet.ListenConfig) (err error) {
		p, err = c.ListenPacket(context.Background(), "udp4", addr)
		return err
	})
	return p, err
}

// listen calls open on a thread in the namespace. What open does must stay on
// that thread: addr is not a name to be resolved, and the network has a 4 in its
// name, as for the others the standard library finds out once per process what
// IPv6 can do, and would find it out here.
func (a *Attachment) listen(network, addr string, open func(*stdnet.ListenConfig) error) error {
	what := "listen on " + network + " " + addr
	if _, err := netip.ParseAddrPort(addr); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return a.enter(what, func() error {
		var c stdnet.ListenConfig
		c.SetMultipathTCP(false) // it would be two sockets, see Quiet
		return open(&c)
	})
}

// enter runs fn on a thread in the namespace, unless the attachment or the
// network has been closed.
func (a *Attachment) enter(what string, fn func() error) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	a.network.mu.RLock()
	defer a.network.mu.RUnlock()
	if a.ns == nil || a.network.state != a.state {
		return fmt.Errorf("%s: %w", what, os.ErrClosed)
	}
	err := onThread(a.state.home, func() error {
		if err := enter(a.ns); err != nil {
			return err
		}
		return fn()
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
