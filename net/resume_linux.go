package net

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
)

// inherit looks for instances that an earlier process has left on a bridge of
// this name, and plans to keep its subnet and MTU. Where there are none it
// changes nothing.
func (s *state) inherit(wanted netip.Prefix) error {
	links, err := s.ownLinks()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(links, func(l netlink.Link) bool { return l.Attrs().Name == s.plan.Bridge() })
	if at < 0 || links[at].Type() != "bridge" {
		return nil
	}
	bridge := links[at]
	on := func(l netlink.Link) bool { return l.Attrs().MasterIndex == bridge.Attrs().Index }
	subnet, err := s.subnetOf(bridge, wanted)
	if err != nil || !subnet.IsValid() || !slices.ContainsFunc(links, on) {
		return err
	}
	s.plan.Subnet, s.plan.MTU, s.bridge = subnet, bridge.Attrs().MTU, bridge.Attrs().Index
	if err := s.inheritNeighbours(); err != nil {
		return err
	}
	for _, l := range links {
		if addr, ok := s.plan.addrOfPort(l.Attrs().Name); ok {
			s.inherited.put(addr, l.Attrs().Index)
		}
	}
	return nil
}

// subnetOf finds out the subnet of a bridge by its hardware address, which
// carries the gateway's, and its address. It is the zero prefix if there is
// none that a network could have. A bridge that has lost its address gets it
// back as far as it can be known.
func (s *state) subnetOf(bridge netlink.Link, wanted netip.Prefix) (netip.Prefix, error) {
	addrs, err := dump(func() ([]netlink.Addr, error) { return s.netlink.AddrList(bridge, netlink.FAMILY_V4) })
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("list addresses of %s: %w", s.plan.Bridge(), err)
	}
	var candidates []netip.Prefix
	for _, a := range addrs {
		candidates = appendPrefix(candidates, a.IPNet)
	}
	gateway, ok := addrOfMAC(bridge.Attrs().HardwareAddr)
	if !ok {
		return netip.Prefix{}, nil
	}
	candidates = append(candidates, wanted, netip.PrefixFrom(gateway, minPrefix).Masked())
	for _, c := range candidates {
		p := Plan{Name: s.plan.Name, Subnet: c}
		if c.IsValid() && check(p.Name, c) == nil && p.Gateway() == gateway {
			return c, nil
		}
	}
	return netip.Prefix{}, nil
}

// inheritNeighbours finds instances of which only the neighbour entry is left:
// they have ended while no process of this name ran.
func (s *state) inheritNeighbours() error {
	neighbours, err := dump(func() ([]netlink.Neigh, error) {
		return s.netlink.NeighList(s.bridge, netlink.FAMILY_V4)
	})
	if err != nil {
		return fmt.Errorf("list neighbours of %s: %w", s.plan.Bridge(), err)
	}
	for _, n := range neighbours {
		addr, ok := netip.AddrFromSlice(n.IP)
		if addr = addr.Unmap(); ok && n.State&netlink.NUD_PERMANENT != 0 && s.plan.lends(addr) {
			s.inherited.put(addr, 0)
		}
	}
	return nil
}

// takeOver are the steps that make everything as this process would have made
// it, around instances that are attached.
func (s *state) takeOver() []step {
	// What the new rules keep apart must not be forwarded under the old ones,
	// so forwarding goes first on the way back as well.
	stop := func() error { return s.stopForwarding(s.switched) }
	return []step{
		{"repair the bridge", s.repairBridge, nil},
		{"stop deletions under way", s.stopDeletions, nil},
		{"choose the uplinks", s.chooseUplinks, nil},
		{"replace the rules", s.writeRules, s.writeEarlierRules},
		{"forward", func() error { return s.startForwarding(stop) }, stop},
	}
}

// repairBridge makes what lacks of the bridge, and leaves alone what is there.
func (s *state) repairBridge() error {
	name := s.plan.Bridge()
	bridge, err := s.netlink.LinkByIndex(s.bridge)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := s.netlink.shapeBridge(s.bridge); err != nil {
		return fmt.Errorf("configure %s: %w", name, err)
	}
	if err := s.netlink.AddrReplace(bridge, s.bridgeAddr()); err != nil {
		return fmt.Errorf("add address %v: %w", s.plan.Gateway(), err)
	}
	if err := s.netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	routes, err := dump(func() ([]netlink.Route, error) { return s.netlink.RouteList(bridge, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("list routes to %s: %w", name, err)
	}
	var routed []netip.Prefix
	for _, r := range routes {
		routed = appendPrefix(routed, r.Dst)
	}
	if !slices.Contains(routed, s.plan.Subnet) {
		if err := s.addRoute(); err != nil {
			return err
		}
	}
	return writeAll(bridgeSysctls(name))
}

// stopDeletions takes ports out of the group in which the earlier process may
// have been about to delete them: our own next deletion would hit them, though
// somebody may reattach them first.
func (s *state) stopDeletions() error {
	links, err := s.ownLinks()
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.Attrs().Group != s.reaper.group {
			continue
		}
		if err := ignoreGone(s.netlink.setGroup(l.Attrs().Index, 0)); err != nil {
			return fmt.Errorf("group of %s: %w", l.Attrs().Name, err)
		}
	}
	return nil
}

// writeEarlierRules writes the rules for the links that forwarded before.
func (s *state) writeEarlierRules() error {
	p := s.plan
	p.Uplinks = slices.Sorted(maps.Keys(s.earlier))
	return replaceTables(p.tables())
}
