package net

import (
	"errors"
	"fmt"
	stdnet "net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// makeBridge makes the bridge in the wanted subnet, or in a free one if that is
// zero. Another process may take the same free one at the same time: the kernel
// accepts only one route to it, and who comes second looks again.
func (s *state) makeBridge(wanted netip.Prefix) error {
	mtu, err := s.uplinkMTU()
	if err != nil {
		return err
	}
	s.plan.MTU = mtu
	for {
		used, err := s.usedPrefixes()
		if err != nil {
			return err
		}
		subnet := wanted
		if wanted == (netip.Prefix{}) {
			subnet, err = freeSubnet(used)
		} else if overlapsAny(wanted, used) {
			err = fmt.Errorf("subnet %v: the host already uses addresses of it", wanted)
		}
		if err != nil {
			return err
		}
		s.plan.Subnet = subnet
		err = s.addBridge()
		if err == nil {
			return writeAll(bridgeSysctls(s.plan.Bridge()))
		}
		err = errors.Join(err, s.deleteLinks())
		if !errors.Is(err, errTaken) || wanted != (netip.Prefix{}) {
			return err
		}
	}
}

// errTaken says that somebody else has a route to the very subnet.
var errTaken = errors.New("subnet was taken meanwhile")

// addBridge adds the link, its address and the route.
func (s *state) addBridge() error {
	p := s.plan
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = p.Bridge(), p.MTU
	attrs.HardwareAddr = macOf(p.Gateway()) // or it would be a port's, and change
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := s.netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("add %s: %w", p.Bridge(), err)
	}
	s.bridge = bridge.Attrs().Index
	if err := s.netlink.shapeBridge(s.bridge); err != nil {
		return fmt.Errorf("configure %s: %w", p.Bridge(), err)
	}
	if err := s.netlink.AddrAdd(bridge, s.bridgeAddr()); err != nil {
		return fmt.Errorf("add address %v: %w", p.Gateway(), err)
	}
	if err := s.netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("set %s up: %w", p.Bridge(), err)
	}
	return s.addRoute()
}

// bridgeAddr is the bridge's address; the route to the subnet is ours to add.
func (s *state) bridgeAddr() *netlink.Addr {
	return &netlink.Addr{
		IPNet: ipNet(netip.PrefixFrom(s.plan.Gateway(), s.plan.Subnet.Bits())),
		Flags: unix.IFA_F_NOPREFIXROUTE,
	}
}

// addRoute routes the subnet to the bridge, or returns errTaken.
func (s *state) addRoute() error {
	err := s.netlink.RouteAdd(&netlink.Route{
		LinkIndex: s.bridge,
		Dst:       ipNet(s.plan.Subnet),
		Src:       s.plan.Gateway().AsSlice(),
		Scope:     netlink.SCOPE_LINK,
	})
	if errors.Is(err, unix.EEXIST) {
		return errTaken
	}
	if err != nil {
		return fmt.Errorf("add route to %v: %w", s.plan.Subnet, err)
	}
	return nil
}

// usedPrefixes lists the addresses and the destinations that the host knows, in
// all its routing tables.
func (s *state) usedPrefixes() ([]netip.Prefix, error) {
	addrs, err := dump(func() ([]netlink.Addr, error) { return s.netlink.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	routes, err := dump(func() ([]netlink.Route, error) {
		every := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
		return s.netlink.RouteListFiltered(netlink.FAMILY_V4, every, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var used []netip.Prefix
	for _, a := range addrs {
		used = appendPrefix(used, a.IPNet)
	}
	for _, r := range routes {
		used = appendPrefix(used, r.Dst)
	}
	return used, nil
}

func appendPrefix(all []netip.Prefix, n *stdnet.IPNet) []netip.Prefix {
	if n == nil {
		return all
	}
	addr, ok := netip.AddrFromSlice(n.IP)
	if ones, bits := n.Mask.Size(); ok && bits > 0 {
		all = append(all, netip.PrefixFrom(addr.Unmap(), ones).Masked())
	}
	return all
}

func ipNet(p netip.Prefix) *stdnet.IPNet {
	return &stdnet.IPNet{IP: p.Addr().AsSlice(), Mask: stdnet.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
