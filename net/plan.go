package net

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	stdnet "net"
	"net/netip"
	"regexp"
	"strings"
)

// ServiceAddress is on the loopback interface of every instance's namespace:
// where Listen puts the metadata server and the resolver.
const ServiceAddress = "169.254.169.254"

// MaxAttachments is how many instances one Network holds at a time: the kernel
// numbers the ports of a bridge with ten bits and does not use the zero.
const MaxAttachments = 1023

// Bounds of the subnet's prefix. A hardware address carries the whole address,
// but the source check compares its last two octets only.
const (
	minPrefix = 16
	maxPrefix = 28
)

// defaultMTU is used where the host has no uplink to ask.
const defaultMTU = 1500

// Plan is everything about a network that can be computed without a kernel.
// Plans with equal fields describe equal networks.
type Plan struct {
	// Name tells the networks of one host apart; see Config.
	Name string
	// Subnet holds the gateway and the instances.
	Subnet netip.Prefix
	// MTU is that of every link, in bytes.
	MTU int
	// Uplinks are the host's links that forward because of this network and
	// did not before.
	Uplinks []string
	// Doors are TCP ports of the gateway that instances may connect to.
	Doors []uint16
}

// Endpoint is one instance's place in a network.
type Endpoint struct {
	// Port is the name of the link on the host's side.
	Port string
	// Addr is the instance's address.
	Addr netip.Addr
	// MAC is the hardware address of the instance's side.
	MAC stdnet.HardwareAddr
}

// networkName keeps link names within the 15 bytes that the kernel allows, and
// free of the hyphen that sets ports apart.
var networkName = regexp.MustCompile(`^[a-z0-9]{1,7}$`)

// check returns all that is wrong with a name and a subnet; the zero subnet is
// fine.
func check(name string, subnet netip.Prefix) error {
	var errs []error
	if !networkName.MatchString(name) {
		errs = append(errs, fmt.Errorf("network name %q: want 1 to 7 lower-case letters or digits", name))
	}
	if subnet != (netip.Prefix{}) {
		switch {
		case !subnet.IsValid() || !subnet.Addr().Is4() || subnet.Masked() != subnet:
			errs = append(errs, fmt.Errorf("subnet %v: want an IPv4 network", subnet))
		case subnet.Bits() < minPrefix || subnet.Bits() > maxPrefix:
			errs = append(errs, fmt.Errorf("subnet %v: want a prefix between /%d and /%d", subnet, minPrefix, maxPrefix))
		}
	}
	return errors.Join(errs...)
}

// Bridge is the name of the bridge.
func (p Plan) Bridge() string { return "rnl" + p.Name }

// Table is the name of the nftables tables, of the families ip and bridge.
func (p Plan) Table() string { return tablePrefix + p.Name }

// tablePrefix begins the names of the tables of every network of this kind.
const tablePrefix = "runnel-"

// linkPrefix begins the names of the links of every network of this kind.
const linkPrefix = "rnl"

// portPrefix begins the names of the bridge's ports and of nothing else.
func (p Plan) portPrefix() string { return p.Bridge() + "-" }

// Gateway is the bridge's address, the first of the subnet.
func (p Plan) Gateway() netip.Addr { return p.Subnet.Addr().Next() }

// Endpoint computes the place of the instance with the given address, which
// must be in the subnet. Everything follows from the address, so that nothing
// about an endpoint needs to be remembered.
func (p Plan) Endpoint(addr netip.Addr) Endpoint {
	a := addr.As4()
	return Endpoint{
		Port: fmt.Sprintf("%s%02x%02x", p.portPrefix(), a[2], a[3]),
		Addr: addr,
		MAC:  macOf(addr),
	}
}

// macOf makes a locally administered unicast hardware address that carries the
// whole of addr.
func macOf(addr netip.Addr) stdnet.HardwareAddr {
	a := addr.As4()
	return stdnet.HardwareAddr{0x02, 'r', a[0], a[1], a[2], a[3]}
}

// addrOfMAC is the address that a hardware address was made from.
func addrOfMAC(mac stdnet.HardwareAddr) (netip.Addr, bool) {
	if len(mac) != 6 || mac[0] != 0x02 || mac[1] != 'r' {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte(mac[2:])), true
}

// addrOfPort is the address of the instance whose port has the given name, if
// that is the name of a port of this network.
func (p Plan) addrOfPort(name string) (netip.Addr, bool) {
	octets, err := hex.DecodeString(strings.TrimPrefix(name, p.portPrefix()))
	if err != nil || len(octets) != 2 {
		return netip.Addr{}, false
	}
	a := p.Subnet.Addr().As4()
	a[2], a[3] = octets[0], octets[1]
	addr := netip.AddrFrom4(a)
	return addr, p.lends(addr) && p.Endpoint(addr).Port == name
}

// lends says whether addr is one that instances have: neither the first two of
// the subnet nor its last.
func (p Plan) lends(addr netip.Addr) bool {
	return p.Subnet.Contains(addr) && p.Gateway().Less(addr) && p.Subnet.Contains(addr.Next())
}

// dyingGroup is the link group of ports about to be deleted together. It is
// far from the small numbers people give, and differs between networks.
func (p Plan) dyingGroup() uint32 {
	group := uint32(0x5000_0000)
	for _, c := range []byte(p.Name) {
		group = group&0xf000_0000 | (group*31+uint32(c))&0x0fff_ffff
	}
	return group
}

// sharedSpace is set aside for networks between a provider and its customers,
// so hosts seldom route it.
// Source: RFC 6598.
func sharedSpace() netip.Prefix { return netip.MustParsePrefix("100.64.0.0/10") }

// freeSubnet picks the first /16 of the shared space that overlaps nothing in
// used. A default route overlaps everything and therefore says nothing.
func freeSubnet(used []netip.Prefix) (netip.Prefix, error) {
	space := sharedSpace()
	first := binary.BigEndian.Uint32(space.Addr().AsSlice())
	for i := range uint32(1) << (16 - space.Bits()) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], first+i<<16)
		candidate := netip.PrefixFrom(netip.AddrFrom4(b), 16)
		if !overlapsAny(candidate, used) {
			return candidate, nil
		}
	}
	return netip.Prefix{}, ErrNoSubnet
}

func overlapsAny(p netip.Prefix, used []netip.Prefix) bool {
	for _, u := range used {
		if u.Bits() > 0 && u.Overlaps(p) {
			return true
		}
	}
	return false
}
