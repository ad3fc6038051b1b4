package net

import (
	"errors"
	stdnet "net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// openUDP opens a socket on all addresses of a namespace; the test closes it.
func (w *world) openUDP(t *testing.T, ns *os.File, port int) *stdnet.UDPConn {
	t.Helper()
	var c *stdnet.UDPConn
	w.in(t, ns, func() (err error) {
		c, err = stdnet.ListenUDP("udp4", &stdnet.UDPAddr{Port: port})
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// flow opens a flow of packets from the instance to the namespace beyond, and
// returns what sends a packet back by it and tells whether it arrives.
func (w *world) flow(t *testing.T, a *Attachment, port int) (answered func(wait time.Duration) bool) {
	t.Helper()
	inside, beyond := w.openUDP(t, a.Namespace(), port), w.openUDP(t, w.beyond, port)
	buf := make([]byte, 10)
	if _, err := inside.WriteToUDPAddrPort([]byte("hi"), netip.AddrPortFrom(netip.MustParseAddr(beyondAddr), uint16(port))); err != nil {
		t.Fatal(err)
	}
	_ = beyond.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, seen, err := beyond.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	// Another socket on the same port, as the next instance would open it.
	_ = inside.Close()
	next := w.openUDP(t, a.Namespace(), port)
	return func(wait time.Duration) bool {
		if _, err := beyond.WriteToUDPAddrPort([]byte("back"), seen); err != nil {
			t.Fatal(err)
		}
		_ = next.SetReadDeadline(time.Now().Add(wait))
		_, _, err := next.ReadFromUDPAddrPort(buf)
		return err == nil
	}
}

func TestForgetEndsTheFlowsOfOneInstanceOnly(t *testing.T) {
	w := newWorld(t)
	a, other := w.attach(t), w.attach(t)
	for round := range 2 { // what was forgotten may begin again
		answered, others := w.flow(t, a, 5001+round), w.flow(t, other, 6001+round)
		if !answered(5 * time.Second) {
			t.Fatal("the flow is not open")
		}
		if err := a.Forget(); err != nil {
			t.Fatal(err)
		}
		if answered(patience) {
			t.Error("a packet from outside reaches the next instance")
		}
		if !others(5 * time.Second) {
			t.Error("another instance has lost its flow")
		}
	}
}

// What the host itself has opened to an instance is forgotten too, and either
// way that a kernel may know does it. A kernel that does not know the first
// refuses, and drops nothing.
func TestBothWaysOfForgettingDropBothDirections(t *testing.T) {
	w := newWorld(t)
	c := w.network.current().conntrack
	for name, drop := range map[string]func(selector) error{"all at once": c.flush, "one by one": c.deleteEach} {
		t.Run(name, func(t *testing.T) {
			a := w.attach(t)
			w.flow(t, a, 5001)
			inside := w.greet(t, a.Namespace(), "")
			if _, err := w.reach(w.home, "udp4", a.Addr().String(), inside.port, 5*time.Second); err != nil {
				t.Fatal(err)
			}
			want := 2 // one out and one in
			if n := remembered(t, a.Addr()); n != want {
				t.Errorf("%d connections are remembered, want %d", n, want)
			}
			for _, tuple := range []int{nl.CTA_TUPLE_ORIG, nl.CTA_TUPLE_REPLY} {
				err := drop(selector{tuple, a.Addr()})
				if err == nil {
					want--
				} else if name != "all at once" || !errors.Is(err, unix.EINVAL) {
					t.Error(err)
				}
				if n := remembered(t, a.Addr()); n != want {
					t.Errorf("%d connections are remembered, want %d", n, want)
				}
			}
		})
	}
}

// remembered counts the entries of the host's table with an address at an end.
func remembered(t *testing.T, addr netip.Addr) (n int) {
	t.Helper()
	entries, err := netlink.ConntrackTableList(netlink.ConntrackTable, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Forward.SrcIP.Equal(addr.AsSlice()) || e.Reverse.SrcIP.Equal(addr.AsSlice()) {
			n++
		}
	}
	return n
}

func TestForgetAfterClose(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Forget(); err != nil {
		t.Error(err)
	}
}
