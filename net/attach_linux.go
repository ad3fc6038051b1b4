package net

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"runnel/internal/undo"
)

// Attachment is one instance's namespace, joined to a Network. Its methods are
// safe for concurrent use.
type Attachment struct {
	network  *Network
	state    *state
	endpoint Endpoint
	port     int // index of the link on the host's side

	mu        sync.RWMutex // guards what follows, and keeps ns open while held
	ns        *os.File     // nil once closed
	forgotten uint64       // packets over the port when Forget was last done
}

// Attach makes a namespace with an address and a way out. The caller must Close
// the result. It returns ErrFull if there is no room, ErrNotSetUp if there is
// no network; if it fails, nothing is left.
func (n *Network) Attach(ctx context.Context) (*Attachment, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	s := n.state
	if s == nil {
		return nil, ErrNotSetUp
	}
	addr, err := s.pool.take()
	if err != nil {
		return nil, err
	}
	a := &Attachment{network: n, state: s, endpoint: s.plan.Endpoint(addr)}
	if err := onThread(s.home, func() error { return a.connect(ctx, n.step) }); err != nil {
		s.pool.put(addr)
		return nil, fmt.Errorf("attach %v: %w", addr, err)
	}
	return a, nil
}

// connect moves the calling thread into a new namespace and connects that.
func (a *Attachment) connect(ctx context.Context, run stepFunc) (err error) {
	var u undo.Stack
	defer u.OnError(&err)
	return runSteps(&u, run, []step{
		{"make a network namespace", a.makeNamespace, func() error { return a.ns.Close() }},
		{"settings", func() error { return writeAll(instanceSysctls()) }, nil},
		{"add the veth pair", a.addPair, func() error { return a.state.reaper.delete(a.port) }},
		{"lock the port", func() error { return a.state.netlink.lockPort(a.port) }, nil},
		{"add the forwarding entry", a.addForwarding, nil}, // goes with the port
		{"add the neighbour entry", a.addNeighbour, a.deleteNeighbour},
		{"configure the namespace", a.configure, nil},
		{"wait for the link", func() error { return a.awaitLink(ctx) }, nil},
	})
}

func (a *Attachment) makeNamespace() (err error) {
	a.ns, err = enterNew()
	return err
}

func (a *Attachment) addPair() (err error) {
	s := a.state
	a.port, err = s.netlink.addPair(a.endpoint, s.plan.MTU, s.bridge, a.ns)
	return err
}

// forwardingEntry tells the bridge which port the instance's hardware address
// is behind.
func (a *Attachment) forwardingEntry() *netlink.Neigh {
	return &netlink.Neigh{
		LinkIndex:    a.port,
		Family:       unix.AF_BRIDGE,
		Flags:        netlink.NTF_MASTER,
		State:        netlink.NUD_NOARP, // static, but not the bridge's own
		HardwareAddr: a.endpoint.MAC,
	}
}

func (a *Attachment) addForwarding() error {
	return a.state.netlink.NeighSet(a.forwardingEntry())
}

func (a *Attachment) neighbour() *netlink.Neigh {
	return permanent(a.state.bridge, a.endpoint.Addr)
}

// addNeighbour tells the host the instance's hardware address. An entry that
// is left from a namespace whose holders all died says the same.
func (a *Attachment) addNeighbour() error { return a.state.netlink.NeighSet(a.neighbour()) }

func (a *Attachment) deleteNeighbour() error {
	return ignoreGone(a.state.netlink.NeighDel(a.neighbour()))
}

// configure gives the calling thread's namespace its addresses and routes.
func (a *Attachment) configure() error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer handle.Close()
	gateway := a.state.plan.Gateway()
	eth0, err := handle.LinkByName(innerLink)
	if err != nil {
		return fmt.Errorf("find %s: %w", innerLink, err)
	}
	// The first link of every namespace is its loopback interface.
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1}}
	service := &netlink.Addr{IPNet: ipNet(hostPrefix(netip.MustParseAddr(ServiceAddress))), Scope: int(netlink.SCOPE_HOST)}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"set lo up", func() error { return handle.LinkSetUp(lo) }},
		{"add " + ServiceAddress, func() error { return handle.AddrAdd(lo, service) }},
		{"add the address", func() error {
			return handle.AddrAdd(eth0, &netlink.Addr{IPNet: ipNet(hostPrefix(a.endpoint.Addr))})
		}},
		{"set eth0 up", func() error { return handle.LinkSetUp(eth0) }},
		{"add the gateway's neighbour entry", func() error {
			return handle.NeighAdd(permanent(eth0.Attrs().Index, gateway))
		}},
		{"add the default route", func() error {
			return handle.RouteAdd(&netlink.Route{
				LinkIndex: eth0.Attrs().Index,
				Gw:        gateway.AsSlice(),
				Src:       a.endpoint.Addr.AsSlice(),
				Flags:     int(netlink.FLAG_ONLINK), // no other address is on the link
			})
		}},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// awaitLink waits until the host's side passes packets. The kernel notices in
// the background that the pair is up on both ends; until then the port, and the
// bridge if this is its only one, drop what they should send.
func (a *Attachment) awaitLink(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	return errors.Join(
		a.state.netlink.awaitUp(ctx, a.port),
		a.state.netlink.awaitUp(ctx, a.state.bridge),
	)
}

// permanent is the neighbour entry of an address on a link; nothing an instance
// sends changes it.
func permanent(link int, addr netip.Addr) *netlink.Neigh {
	return &netlink.Neigh{
		LinkIndex:    link,
		Family:       netlink.FAMILY_V4,
		State:        netlink.NUD_PERMANENT,
		IP:           addr.AsSlice(),
		HardwareAddr: macOf(addr),
	}
}

func hostPrefix(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// Addr is the instance's address.
func (a *Attachment) Addr() netip.Addr { return a.endpoint.Addr }

// Namespace is the instance's network namespace, nil after Close. The
// Attachment owns it: who needs it for longer duplicates it. The namespace
// lives until the last such descriptor, and the last process in it, is gone.
func (a *Attachment) Namespace() *os.File {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.ns
}

// Close cuts the instance off and gives its address back. The namespace itself
// goes in the background once nobody holds it. Listeners are the caller's to
// close. A second Close does nothing.
func (a *Attachment) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ns == nil {
		return nil
	}
	ns := a.ns
	a.ns = nil
	if err := errors.Join(a.disconnect(), ns.Close()); err != nil {
		return fmt.Errorf("detach %v: %w", a.endpoint.Addr, err)
	}
	return nil
}

// disconnect removes the host's side. If the network has been closed, that is
// gone already.
func (a *Attachment) disconnect() error {
	a.network.mu.RLock()
	defer a.network.mu.RUnlock()
	if a.network.state != a.state {
		return nil
	}
	if err := errors.Join(a.state.reaper.delete(a.port), a.deleteNeighbour()); err != nil {
		return err // whoever has the address next would not get it
	}
	a.state.pool.put(a.endpoint.Addr)
	return nil
}
