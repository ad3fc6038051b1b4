package net

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"runnel/internal/testenv"
)

// Addresses of the little world that the tests build around a network: the
// process's own namespace is the host, another is what lies beyond it.
const (
	hostAddr   = "203.0.113.1" // on the host's uplink
	beyondAddr = "203.0.113.2" // on the other end of it
	hostLocal  = "169.254.7.7" // link-local, on the host
	cloudLocal = "169.254.8.8" // link-local, beyond the uplink, where clouds have services
)

// doorPort is the port of the gateway that instances may connect to.
const doorPort = 8099

// patience is how long something that must not answer is waited for.
const patience = 150 * time.Millisecond

// world is a host with an uplink, a network, and the namespace beyond.
type world struct {
	network *Network
	home    *os.File
	beyond  *os.File
}

// newWorld builds one and takes it down with the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	testenv.Root(t)
	testenv.NoLeaks(t)
	w := &world{network: New(Config{Name: "test01", Doors: []uint16{doorPort}})}
	w.addUplink(t)
	if err := w.network.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.network.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// addUplink joins the host to the namespace beyond, which has a route back to
// instances, so that what does not come from there is the host's doing.
func (w *world) addUplink(t *testing.T) {
	t.Helper()
	var err error
	if w.home, err = currentNamespace(); err != nil {
		t.Fatal(err)
	}
	handle, err := netlink.NewHandle()
	if err != nil {
		t.Fatal(err)
	}
	err = onThread(w.home, func() (err error) {
		if w.beyond, err = enterNew(); err != nil {
			return err
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU = "up0", 1460
		veth := &netlink.Veth{LinkAttrs: attrs, PeerName: "up0", PeerMTU: 1460, PeerNamespace: netlink.NsFd(w.beyond.Fd())}
		return errors.Join(handle.LinkAdd(veth), configureHost(handle), configureBeyond())
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		link, err := handle.LinkByName("up0")
		if err == nil {
			err = handle.LinkDel(link)
		}
		if err != nil {
			t.Error(err)
		}
		handle.Close()
		_ = w.beyond.Close()
		_ = w.home.Close()
	})
}

// configureUplink gives the link its addresses, the first with the network, and
// sets it up.
func configureUplink(handle *netlink.Handle, addrs ...string) error {
	link, err := handle.LinkByName("up0")
	if err != nil {
		return err
	}
	for i, a := range addrs {
		bits := 24
		if i > 0 {
			bits = 32
		}
		addr := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(netip.MustParseAddr(a), bits))}
		if err := handle.AddrAdd(link, addr); err != nil {
			return err
		}
	}
	return handle.LinkSetUp(link)
}

// configureHost also routes link-local addresses to the uplink, as hosts in a
// cloud do.
func configureHost(handle *netlink.Handle) error {
	if err := configureUplink(handle, hostAddr, hostLocal); err != nil {
		return err
	}
	link, err := handle.LinkByName("up0")
	if err != nil {
		return err
	}
	return handle.RouteAdd(&netlink.Route{
		LinkIndex: link.Attrs().Index,
		Dst:       ipNet(netip.MustParsePrefix("169.254.0.0/16")),
		Scope:     netlink.SCOPE_LINK,
	})
}

func configureBeyond() error {
	handle, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer handle.Close()
	lo, err := handle.LinkByName("lo")
	if err != nil {
		return err
	}
	return errors.Join(
		handle.LinkSetUp(lo),
		configureUplink(handle, beyondAddr, cloudLocal, ServiceAddress),
		handle.RouteAdd(&netlink.Route{Dst: ipNet(sharedSpace()), Gw: stdnet.ParseIP(hostAddr)}),
	)
}

// attach attaches an instance that goes with the test. The host may remember
// connections that another test had from the same address.
func (w *world) attach(t *testing.T) *Attachment {
	t.Helper()
	a, err := w.network.Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.network.current().conntrack.forget(a.Addr()); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// in runs fn on a thread in a namespace and fails the test on its error.
func (w *world) in(t *testing.T, ns *os.File, fn func() error) {
	t.Helper()
	if err := w.try(ns, fn); err != nil {
		t.Fatal(err)
	}
}

// try runs fn on a thread in a namespace.
func (w *world) try(ns *os.File, fn func() error) error {
	return onThread(w.home, func() error {
		if err := enter(ns); err != nil {
			return err
		}
		return fn()
	})
}

// greeters accept connections and packets in a namespace and answer with the
// address that they see the peer under. An answer to a packet may go astray, so
// they count the packets as well.
type greeters struct {
	port  int
	heard *atomic.Int64
}

// greet starts both kinds on one port; the empty address means all.
func (w *world) greet(t *testing.T, ns *os.File, addr string) greeters {
	t.Helper()
	return w.greetAt(t, ns, addr, 0)
}

// greetAt does so on a certain port, unless that is 0.
func (w *world) greetAt(t *testing.T, ns *os.File, addr string, port int) greeters {
	t.Helper()
	var l stdnet.Listener
	var p stdnet.PacketConn
	w.in(t, ns, func() (err error) {
		if l, err = stdnet.Listen("tcp4", fmt.Sprintf("%s:%d", addr, port)); err != nil {
			return err
		}
		p, err = stdnet.ListenPacket("udp4", fmt.Sprintf("%s:%d", addr, l.Addr().(*stdnet.TCPAddr).Port))
		return err
	})
	g := greeters{l.Addr().(*stdnet.TCPAddr).Port, new(atomic.Int64)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, c.RemoteAddr().(*stdnet.TCPAddr).IP.String())
			_ = c.Close()
		}
	})
	wg.Go(func() {
		buf := make([]byte, 100)
		for {
			_, from, err := p.ReadFrom(buf)
			if err != nil {
				return
			}
			g.heard.Add(1)
			_, _ = p.WriteTo([]byte(from.(*stdnet.UDPAddr).IP.String()), from)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		_ = p.Close()
		wg.Wait()
	})
	return g
}

// reach connects from a namespace and returns what the greeter says.
func (w *world) reach(from *os.File, network, addr string, port int, wait time.Duration) (seen string, err error) {
	err = w.try(from, func() error {
		d := stdnet.Dialer{Timeout: wait}
		c, err := d.Dial(network, stdnet.JoinHostPort(addr, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(wait))
		if network == "udp4" {
			if _, err := c.Write([]byte("?")); err != nil {
				return err
			}
		}
		buf := make([]byte, 100)
		n, err := c.Read(buf)
		seen = string(buf[:n])
		return err
	})
	return seen, err
}

// ping sends an echo request from a namespace and waits for the reply.
func (w *world) ping(from *os.File, addr string, wait time.Duration) error {
	return w.try(from, func() error {
		c, err := stdnet.ListenPacket("ip4:icmp", "0.0.0.0")
		if err != nil {
			return err
		}
		defer c.Close()
		echo := []byte{8, 0, 0, 0, 0x52, 0x4e, 0, 1}
		sum := checksum(echo)
		echo[2], echo[3] = byte(sum>>8), byte(sum)
		if _, err := c.WriteTo(echo, &stdnet.IPAddr{IP: stdnet.ParseIP(addr)}); err != nil {
			return err
		}
		_ = c.SetDeadline(time.Now().Add(wait))
		buf := make([]byte, 1500)
		for {
			n, peer, err := c.ReadFrom(buf)
			if err != nil {
				return err
			}
			if n >= 8 && buf[0] == 0 && bytes.Equal(buf[4:8], echo[4:8]) && peer.String() == addr {
				return nil
			}
		}
	})
}

// checksum is that of IPv4, ICMP and the rest.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
