package net

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"runnel/internal/undo"
)

// Reattach returns the Attachment of an instance that was attached when Resume
// took the network over: with the address it has, and without a connection of
// it noticing. The caller must Close the result.
//
// ns is the instance's namespace. Reattach takes ownership of it, also if it
// fails. It returns ErrNotAttached, and has changed nothing, if the namespace
// was not attached then or has an Attachment already; ErrNotSetUp if there is
// no network. After any other error it may be tried again.
func (n *Network) Reattach(ctx context.Context, ns *os.File) (_ *Attachment, err error) {
	defer func() {
		if err != nil {
			_ = ns.Close() // nothing was written to it
		}
	}()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.state == nil {
		return nil, ErrNotSetUp
	}
	a := &Attachment{network: n, state: n.state, ns: ns}
	if err := a.reconnect(n.step); err != nil {
		return nil, fmt.Errorf("reattach %s: %w", ns.Name(), err)
	}
	return a, nil
}

// reconnect finds the instance's place and makes its settings anew.
func (a *Attachment) reconnect(run stepFunc) (err error) {
	var u undo.Stack
	defer u.OnError(&err)
	var in inside
	return runSteps(&u, run, []step{
		{"look into the namespace", func() (err error) { in, err = a.lookInside(); return err }, nil},
		{"find the port", func() error { return a.takePort(in) }, func() error { a.leavePort(); return nil }},
		{"lock the port", func() error { return a.state.netlink.lockPort(a.port) }, nil},
		{"add the forwarding entry", a.addForwarding, nil},
		{"add the neighbour entry", a.addNeighbour, nil},
	})
}

// inside is what a namespace tells of its place in the network.
type inside struct {
	addr netip.Addr
	link int // index of its end of the veth pair
}

// lookInside reads the link and its address in the attachment's namespace.
func (a *Attachment) lookInside() (in inside, err error) {
	err = onThread(a.state.home, func() error {
		err := enter(a.ns)
		if errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("%w: it is none", ErrNotAttached)
		}
		if err != nil {
			return err
		}
		in, err = a.state.plan.readInside()
		return err
	})
	return in, err
}

// readInside does so in the calling thread's namespace.
func (p Plan) readInside() (inside, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return inside{}, fmt.Errorf("netlink: %w", err)
	}
	defer handle.Close()
	link, err := handle.LinkByName(innerLink)
	if isNotFound(err) {
		return inside{}, fmt.Errorf("%w: it has no %s", ErrNotAttached, innerLink)
	}
	if err != nil {
		return inside{}, fmt.Errorf("find %s: %w", innerLink, err)
	}
	addrs, err := dump(func() ([]netlink.Addr, error) { return handle.AddrList(link, netlink.FAMILY_V4) })
	if err != nil {
		return inside{}, fmt.Errorf("list addresses: %w", err)
	}
	for _, candidate := range addrs {
		addr, ok := netip.AddrFromSlice(candidate.IP)
		if addr = addr.Unmap(); ok && p.lends(addr) {
			return inside{addr, link.Attrs().Index}, nil
		}
	}
	return inside{}, fmt.Errorf("%w: it has no address within %v", ErrNotAttached, p.Subnet)
}

// takePort takes the port that belongs to what is inside, if an earlier process
// has left it, it is on the bridge, and its other end is in this namespace.
func (a *Attachment) takePort(in inside) error {
	s := a.state
	port, ok := s.inherited.take(in.addr)
	if !ok {
		return fmt.Errorf("%w: no earlier process has left %v, or it is taken", ErrNotAttached, in.addr)
	}
	a.endpoint, a.port = s.plan.Endpoint(in.addr), port
	fits, err := a.fits(in)
	if err == nil && !fits {
		err = fmt.Errorf("%w: it does not end at %s", ErrNotAttached, a.endpoint.Port)
	}
	if err != nil {
		a.leavePort()
	}
	return err
}

// leavePort leaves the port to the next who asks for it.
func (a *Attachment) leavePort() { a.state.inherited.put(a.endpoint.Addr, a.port) }

// fits reports whether the port and what is inside are the two ends of a pair.
// Indexes are told apart within a namespace only, so the kernel is asked for
// the number that the host has for the other end's.
func (a *Attachment) fits(in inside) (bool, error) {
	s := a.state
	link, err := s.netlink.LinkByIndex(a.port)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find %s: %w", a.endpoint.Port, err)
	}
	id, err := s.netlink.GetNetNsIdByFd(int(a.ns.Fd()))
	if err != nil {
		return false, fmt.Errorf("number of the namespace: %w", err)
	}
	port := link.Attrs()
	return port.MasterIndex == s.bridge && port.ParentIndex == in.link && port.NetNsID >= 0 && port.NetNsID == id, nil
}

// isNotFound says whether a link was looked for in vain.
func isNotFound(err error) bool {
	var none netlink.LinkNotFoundError
	return errors.As(err, &none)
}
