package net

import (
	stdnet "net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// contract: MD-19, ATK-17
func TestInstanceReachesTheWorldAndNothingElse(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	beyond := w.greet(t, w.beyond, "")
	cloud := w.greet(t, w.beyond, cloudLocal)
	host := w.greet(t, w.home, "")
	hostLo := w.greet(t, w.home, "127.0.0.1")
	other := w.greet(t, b.Namespace(), "")
	otherService := w.greet(t, b.Namespace(), ServiceAddress)
	own := w.greet(t, a.Namespace(), ServiceAddress)
	gateway := w.network.current().plan.Gateway().String()

	for _, c := range []struct {
		name string
		from *os.File
		addr string
		to   greeters
		seen string // as whom the target sees the caller; empty: not at all
	}{
		{"instance to the world, translated", a.Namespace(), beyondAddr, beyond, hostAddr},
		{"instance to its own service address", a.Namespace(), ServiceAddress, own, ServiceAddress},
		{"host to instance", w.home, b.Addr().String(), other, gateway},
		{"host to a service of its cloud", w.home, cloudLocal, cloud, hostAddr},

		{"instance to a service of the host's cloud", a.Namespace(), cloudLocal, cloud, ""},
		{"instance to instance", a.Namespace(), b.Addr().String(), other, ""},
		{"instance to the bridge's address", a.Namespace(), gateway, host, ""},
		{"instance to the uplink's address", a.Namespace(), hostAddr, host, ""},
		{"instance to the host's link-local address", a.Namespace(), hostLocal, host, ""},
		{"instance to the host's loopback", a.Namespace(), "127.0.0.1", hostLo, ""},
		{"instance to another's service", a.Namespace(), ServiceAddress, otherService, ""},
		{"instance to the subnet's broadcast", a.Namespace(), "100.64.255.255", host, ""},
		{"world to instance", w.beyond, b.Addr().String(), other, ""},
		{"world to another's service", w.beyond, ServiceAddress, otherService, ""},
		{"host to an instance's service", w.home, ServiceAddress, otherService, ""},
	} {
		for _, network := range []string{"tcp4", "udp4"} {
			wait := 5 * time.Second
			if c.seen == "" {
				wait = patience
			}
			before := c.to.heard.Load()
			seen, err := w.reach(c.from, network, c.addr, c.to.port, wait)
			if heard := c.to.heard.Load() > before; seen != c.seen || heard && c.seen == "" {
				t.Errorf("%s by %s: seen as %q (%v), want %q", c.name, network, seen, err, c.seen)
			}
		}
	}
}

// contract: ING-1, ATK-17
func TestInstanceReachesTheDoorsOfTheGatewayAndNothingBesideThem(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	door := w.greetAt(t, w.home, "", doorPort)
	beside := w.greet(t, w.home, "")
	other := w.greetAt(t, b.Namespace(), "", doorPort)
	gateway := w.network.Gateway().String()
	for _, c := range []struct {
		name, network, addr string
		to                  greeters
		seen                string
	}{
		{"the door", "tcp4", gateway, door, a.Addr().String()},
		{"the door by UDP", "udp4", gateway, door, ""},
		{"a port beside it", "tcp4", gateway, beside, ""},
		{"the door's port at another address of the host", "tcp4", hostAddr, door, ""},
		{"the door's port of another instance", "tcp4", b.Addr().String(), other, ""},
	} {
		wait := 5 * time.Second
		if c.seen == "" {
			wait = patience
		}
		before := c.to.heard.Load()
		seen, err := w.reach(a.Namespace(), c.network, c.addr, c.to.port, wait)
		if heard := c.to.heard.Load() > before; seen != c.seen || heard && c.seen == "" {
			t.Errorf("%s: seen as %q (%v), want %q", c.name, seen, err, c.seen)
		}
	}
}

// What is beyond the host knows the way to the gateway, as a neighbour may who
// wants to pass for an instance.
func TestOnlyThisHostReachesTheGateway(t *testing.T) {
	w := newWorld(t)
	door := w.greetAt(t, w.home, "", doorPort)
	gateway := w.network.Gateway().String()
	if seen, err := w.reach(w.beyond, "tcp4", gateway, doorPort, patience); err == nil || door.heard.Load() > 0 {
		t.Errorf("reached from beyond, seen as %s", seen)
	}
	for _, c := range []struct {
		from *os.File
		to   string
	}{{w.home, gateway}, {w.beyond, hostAddr}} {
		if _, err := w.reach(c.from, "tcp4", c.to, doorPort, 5*time.Second); err != nil {
			t.Errorf("%s is not reached: %v", c.to, err)
		}
	}
}

// contract: ATK-17
// Other software on the host may rewrite a packet's destination before it is
// routed, as published ports of containers do; the host's addresses are out of
// an instance's reach all the same.
func TestInstanceReachesNoTranslatedPortOfTheHost(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	beyond := w.greet(t, w.beyond, "")
	translate(t, hostAddr, beyondAddr)
	if seen, err := w.reach(a.Namespace(), "tcp4", hostAddr, beyond.port, patience); err == nil {
		t.Errorf("reached, seen as %s", seen)
	}
	if _, err := w.reach(a.Namespace(), "tcp4", beyondAddr, beyond.port, 5*time.Second); err != nil {
		t.Errorf("the world is not reached: %v", err)
	}
}

// translate rewrites the destination of what comes in for an address, until
// the test ends.
func translate(t *testing.T, from, to string) {
	t.Helper()
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "other"}
	err := flush(func(c *nftables.Conn) error {
		c.AddTable(table)
		chain := c.AddChain(&nftables.Chain{
			Table: table, Name: "published", Type: nftables.ChainTypeNAT,
			Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest,
		})
		exprs, err := compileMatch(on(destination, from+"/32"), nil)
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: append(exprs,
			&expr.Immediate{Register: 1, Data: netip.MustParseAddr(to).AsSlice()},
			&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1},
		)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := flush(func(c *nftables.Conn) error { c.DelTable(table); return nil }); err != nil {
			t.Error(err)
		}
	})
}

// contract: ATK-17
func TestInstancePingsTheWorldOnly(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	if err := w.ping(a.Namespace(), beyondAddr, 5*time.Second); err != nil {
		t.Errorf("to the world: %v", err)
	}
	if err := w.ping(w.home, b.Addr().String(), 5*time.Second); err != nil {
		t.Errorf("from the host: %v", err)
	}
	gateway := w.network.current().plan.Gateway().String()
	for _, addr := range []string{b.Addr().String(), gateway, hostAddr, hostLocal} {
		if err := w.ping(a.Namespace(), addr, patience); err == nil {
			t.Errorf("%s answers", addr)
		}
	}
	if err := w.ping(w.beyond, b.Addr().String(), patience); err == nil {
		t.Error("the world reaches an instance")
	}
}

// The world sees no port, and no ICMP id, that an instance has chosen: another may
// have chosen the same at the same moment, and one packet of the two is dropped.
func TestPortsOutsideAreNotTheInstances(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	var server stdnet.PacketConn
	w.in(t, w.beyond, func() (err error) {
		server, err = stdnet.ListenPacket("udp4", beyondAddr+":0")
		return err
	})
	defer server.Close()
	const own = 40000
	w.in(t, a.Namespace(), func() error {
		c, err := stdnet.DialUDP("udp4", &stdnet.UDPAddr{Port: own}, server.LocalAddr().(*stdnet.UDPAddr))
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("?"))
		return err
	})
	if err := server.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, from, err := server.ReadFrom(make([]byte, 1))
	if err != nil {
		t.Fatal(err)
	}
	if from.(*stdnet.UDPAddr).Port == own {
		t.Errorf("seen as %s: it is its own port", from)
	}
}

// A host with more than one link does not become a router between them because
// an instance needs one.
func TestHostForwardsOnlyForInstances(t *testing.T) {
	w := newWorld(t)
	for link, want := range map[string]string{"up0": "1", "rnltest01": "1", "lo": "0"} {
		if got, err := readSysctl(forwardingPath(link)); err != nil || got != want {
			t.Errorf("forwarding on %s is %q (%v), want %s", link, got, err, want)
		}
	}
	if got, err := readSysctl("ipv4/ip_forward"); err != nil || got != "0" {
		t.Errorf("ip_forward is %q (%v), want 0", got, err)
	}
	if err := w.network.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readSysctl(forwardingPath("up0")); err != nil || got != "0" {
		t.Errorf("forwarding on the uplink is %q (%v) after Close, want 0", got, err)
	}
}

func TestMTUIsTheUplinks(t *testing.T) {
	w := newWorld(t)
	if got := w.network.current().plan.MTU; got != 1460 {
		t.Errorf("MTU is %d, want that of the uplink, 1460", got)
	}
}
