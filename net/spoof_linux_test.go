package net

import (
	"encoding/binary"
	"errors"
	stdnet "net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// datagram is an IPv4 packet with a UDP datagram in it, made by hand.
func datagram(from, to string, port int, payload string) []byte {
	length := 20 + 8 + len(payload)
	b := make([]byte, 20, length)
	b[0], b[8], b[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(b[2:], uint16(length))
	copy(b[12:], netip.MustParseAddr(from).AsSlice())
	copy(b[16:], netip.MustParseAddr(to).AsSlice())
	binary.BigEndian.PutUint16(b[10:], checksum(b))
	b = binary.BigEndian.AppendUint16(b, 4711)
	b = binary.BigEndian.AppendUint16(b, uint16(port))
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	b = append(b, 0, 0) // no checksum
	return append(b, payload...)
}

// frame is an Ethernet frame.
func frame(to, from stdnet.HardwareAddr, kind uint16, payload []byte) []byte {
	b := append(append([]byte(nil), to...), from...)
	return append(binary.BigEndian.AppendUint16(b, kind), payload...)
}

// arpReply claims that an address belongs to a hardware address.
func arpReply(claimed string, mac stdnet.HardwareAddr, to string, toMAC stdnet.HardwareAddr) []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, 2}
	b = append(append(b, mac...), netip.MustParseAddr(claimed).AsSlice()...)
	return append(append(b, toMAC...), netip.MustParseAddr(to).AsSlice()...)
}

// inject sends frames from inside an instance, as CAP_NET_RAW allows.
func (w *world) inject(t *testing.T, a *Attachment, frames ...[]byte) {
	t.Helper()
	w.in(t, a.Namespace(), func() error {
		sock, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(sock)
		link, err := stdnet.InterfaceByName(innerLink)
		if err != nil {
			return err
		}
		for _, f := range frames {
			err = errors.Join(err, unix.Sendto(sock, f, 0, &unix.SockaddrLinklayer{Ifindex: link.Index}))
		}
		return err
	})
}

// contract: ATK-18
// TestForgedPacketsDoNotArrive sends packets as an instance must not and then
// one as it may; what is received first tells.
func TestForgedPacketsDoNotArrive(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	p := w.network.current().plan
	bridge := macOf(p.Gateway())
	own, other := a.endpoint, b.endpoint
	broadcast := stdnet.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

	var beyond, host, second stdnet.PacketConn
	for _, l := range []struct {
		conn *stdnet.PacketConn
		at   func(func() error)
	}{
		{&beyond, func(fn func() error) { w.in(t, w.beyond, fn) }},
		{&host, func(fn func() error) { w.in(t, w.home, fn) }},
		{&second, func(fn func() error) { w.in(t, b.Namespace(), fn) }},
	} {
		l.at(func() (err error) {
			*l.conn, err = stdnet.ListenPacket("udp4", ":9999")
			return err
		})
		defer (*l.conn).Close()
	}

	forge := func(to, from stdnet.HardwareAddr, source, destination string) []byte {
		return frame(to, from, unix.ETH_P_IP, datagram(source, destination, 9999, "forged"))
	}
	gateway := p.Gateway().String()
	type forgery struct {
		name  string
		frame []byte
	}
	forgeries := []forgery{
		{"another instance's address", forge(bridge, own.MAC, other.Addr.String(), beyondAddr)},
		{"an address near its own", forge(bridge, own.MAC, "100.64.1.2", beyondAddr)},
		{"an address outside the subnet", forge(bridge, own.MAC, "100.65.0.2", beyondAddr)},
		{"an address of the world", forge(bridge, own.MAC, "203.0.113.77", beyondAddr)},
		{"the gateway's address", forge(bridge, own.MAC, gateway, beyondAddr)},
		{"another instance's both addresses", forge(bridge, other.MAC, other.Addr.String(), beyondAddr)},
		{"both addresses of an instance that is not", forge(bridge, macOf(netip.MustParseAddr("100.64.0.9")), "100.64.0.9", beyondAddr)},
		{"the gateway's both addresses", forge(bridge, bridge, gateway, beyondAddr)},
		{"broadcast frame", forge(broadcast, own.MAC, own.Addr.String(), beyondAddr)},

		{"to the host", forge(bridge, own.MAC, own.Addr.String(), hostAddr)},
		{"to the host by broadcast", forge(broadcast, own.MAC, own.Addr.String(), "255.255.255.255")},
		{"to the host's loopback", forge(bridge, own.MAC, own.Addr.String(), "127.0.0.1")},
		{"to the host's loopback from loopback", forge(bridge, own.MAC, "127.0.0.1", "127.0.0.1")},

		{"to the host's cloud's metadata server", forge(bridge, own.MAC, own.Addr.String(), ServiceAddress)},

		{"to another instance by routing", forge(bridge, own.MAC, own.Addr.String(), other.Addr.String())},
		{"to another instance by its hardware address", forge(other.MAC, own.MAC, own.Addr.String(), other.Addr.String())},
		{"to another instance as the gateway", forge(other.MAC, bridge, gateway, other.Addr.String())},
		{"to all instances", forge(broadcast, own.MAC, own.Addr.String(), other.Addr.String())},
	}
	for last := range byte(16) {
		group := linkLocalGroup(last)
		forgeries = append(forgeries,
			forgery{"to the host by " + group.String(), forge(group, own.MAC, own.Addr.String(), hostAddr)},
			forgery{"to the host by broadcast and " + group.String(), forge(group, own.MAC, own.Addr.String(), "255.255.255.255")})
	}
	for _, c := range forgeries {
		w.inject(t, a, c.frame)
		// On the way to each listener this one comes after the forged.
		w.inject(t, a, frame(bridge, own.MAC, unix.ETH_P_IP, datagram(own.Addr.String(), beyondAddr, 9999, "fair")))
		w.say(t, "127.0.0.1", "fair")
		w.say(t, other.Addr.String(), "fair")
		for name, conn := range map[string]stdnet.PacketConn{"the world": beyond, "the host": host, "the other instance": second} {
			if got := receive(t, conn); got != "fair" {
				t.Errorf("%s: %s received it: %q", c.name, name, got)
				receive(t, conn)
			}
		}
	}
}

// linkLocalGroup is one of the groups that a bridge treats apart: it hands some
// of them to the host as the port's own.
func linkLocalGroup(last byte) stdnet.HardwareAddr {
	return stdnet.HardwareAddr{0x01, 0x80, 0xc2, 0x00, 0x00, last}
}

// say sends a datagram from the host.
func (w *world) say(t *testing.T, to, what string) {
	t.Helper()
	w.in(t, w.home, func() error {
		c, err := stdnet.Dial("udp4", to+":9999")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte(what))
		return err
	})
}

func receive(t *testing.T, conn stdnet.PacketConn) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 100)
	n, _, err := conn.ReadFrom(buf)
	if err != nil {
		t.Fatalf("not even the fair packet: %v", err)
	}
	return string(buf[:n])
}

// contract: ATK-18
func TestARPSpoofingTurnsNothingAway(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	p := w.network.current().plan
	bridge := macOf(p.Gateway())
	gateway, victim := p.Gateway().String(), b.Addr().String()
	greeter := w.greet(t, b.Namespace(), "")
	world := w.greet(t, w.beyond, "")
	before := w.neighbours(t, b)
	heard := w.hearARP(t, p.Bridge())

	broadcast := stdnet.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	// The last looks to the source check like an IPv4 packet of its own.
	octets := a.Addr().As4()
	lookalike := netip.AddrFrom4([4]byte{octets[2], octets[3], 0, 1}).String()
	for _, claim := range []string{gateway, victim, lookalike} {
		for _, to := range []stdnet.HardwareAddr{broadcast, bridge, b.endpoint.MAC} {
			for _, source := range []stdnet.HardwareAddr{a.endpoint.MAC, b.endpoint.MAC, bridge} {
				w.inject(t, a, frame(to, source, unix.ETH_P_ARP, arpReply(claim, a.endpoint.MAC, claim, to)))
			}
		}
	}
	if after := w.neighbours(t, b); after != before {
		t.Errorf("neighbour entries were\n%s\nand are\n%s", before, after)
	}
	if seen, err := w.reach(w.home, "tcp4", victim, greeter.port, 5*time.Second); err != nil {
		t.Errorf("the host no longer reaches the victim: %q, %v", seen, err)
	}
	if _, err := w.reach(b.Namespace(), "tcp4", beyondAddr, world.port, 5*time.Second); err != nil {
		t.Errorf("the victim no longer reaches the world: %v", err)
	}
	if n, _, err := unix.Recvfrom(heard, make([]byte, 100), unix.MSG_DONTWAIT); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("the bridge received ARP: %d bytes, %v", n, err)
	}
}

// hearARP opens a socket that receives the ARP frames of a link of the host.
func (w *world) hearARP(t *testing.T, name string) (sock int) {
	t.Helper()
	w.in(t, w.home, func() error {
		link, err := stdnet.InterfaceByName(name)
		if err != nil {
			return err
		}
		const arp = unix.ETH_P_ARP<<8&0xff00 | unix.ETH_P_ARP>>8 // in network order
		if sock, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, arp); err != nil {
			return err
		}
		return unix.Bind(sock, &unix.SockaddrLinklayer{Ifindex: link.Index, Protocol: arp})
	})
	t.Cleanup(func() { _ = unix.Close(sock) })
	return sock
}

// neighbours lists what the host and an instance know of their neighbours.
func (w *world) neighbours(t *testing.T, a *Attachment) (list string) {
	t.Helper()
	look := func() error {
		handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer handle.Close()
		all, err := handle.NeighList(0, netlink.FAMILY_V4)
		for _, n := range all {
			if n.State == netlink.NUD_PERMANENT {
				list += n.String() + "\n"
			}
		}
		return err
	}
	w.in(t, w.home, look)
	w.in(t, a.Namespace(), look)
	return list
}

// contract: ATK-18
func TestRouterAdvertisementIsIgnored(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	from, to := netip.MustParseAddr("fe80::1"), netip.MustParseAddr("ff02::1")
	advert := []byte{134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0} // a router for 1800 s
	pseudo := append(append(from.AsSlice(), to.AsSlice()...), 0, 0, 0, byte(len(advert)), 0, 0, 0, unix.IPPROTO_ICMPV6)
	binary.BigEndian.PutUint16(advert[2:], checksum(append(pseudo, advert...)))
	packet := []byte{0x60, 0, 0, 0, 0, byte(len(advert)), unix.IPPROTO_ICMPV6, 255}
	packet = append(append(append(packet, from.AsSlice()...), to.AsSlice()...), advert...)

	groups := []stdnet.HardwareAddr{{0x33, 0x33, 0, 0, 0, 1}, macOf(w.network.current().plan.Gateway())}
	for last := range byte(16) {
		groups = append(groups, linkLocalGroup(last))
	}
	for _, group := range groups {
		w.inject(t, a, frame(group, a.endpoint.MAC, unix.ETH_P_IPV6, packet))
	}
	if err := w.ping(a.Namespace(), beyondAddr, 5*time.Second); err != nil { // sent after them
		t.Fatal(err)
	}
	w.in(t, w.home, func() error {
		handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer handle.Close()
		routes, err := handle.RouteList(nil, netlink.FAMILY_V6)
		for _, r := range routes {
			if r.Protocol == unix.RTPROT_RA {
				t.Errorf("the host took a route: %v", r)
			}
		}
		return err
	})
}

// contract: ATK-18
func TestNoIPv6ButLoopback(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	for _, c := range []struct {
		at   func(func() error)
		link string
	}{
		{func(fn func() error) { w.in(t, a.Namespace(), fn) }, innerLink},
		{func(fn func() error) { w.in(t, w.home, fn) }, a.endpoint.Port},
		{func(fn func() error) { w.in(t, w.home, fn) }, w.network.current().plan.Bridge()},
	} {
		c.at(func() error {
			link, err := stdnet.InterfaceByName(c.link)
			if err != nil {
				return err
			}
			addrs, err := link.Addrs()
			for _, addr := range addrs {
				if prefix := netip.MustParsePrefix(addr.String()); prefix.Addr().Is6() {
					t.Errorf("%s has %v", c.link, prefix)
				}
			}
			return err
		})
	}
	w.in(t, a.Namespace(), func() error {
		l, err := stdnet.Listen("tcp6", "[::1]:0")
		if err == nil {
			err = l.Close()
		}
		return err
	})
}
