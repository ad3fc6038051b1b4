package net

import (
	"os"
	"testing"
	"time"
)

// contract: MD-19
func TestInstanceReachesTheWorldAndNothingElse(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	beyond := w.greet(t, w.beyond, "")
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
		port int
		seen string // as whom the target sees the caller; empty: not at all
	}{
		{"instance to the world, translated", a.Namespace(), beyondAddr, beyond.port, hostAddr},
		{"instance to its own service address", a.Namespace(), ServiceAddress, own.port, ServiceAddress},
		{"host to instance", w.home, b.Addr().String(), other.port, gateway},

		{"instance to instance", a.Namespace(), b.Addr().String(), other.port, ""},
		{"instance to the bridge's address", a.Namespace(), gateway, host.port, ""},
		{"instance to the uplink's address", a.Namespace(), hostAddr, host.port, ""},
		{"instance to the host's link-local address", a.Namespace(), hostLocal, host.port, ""},
		{"instance to the host's loopback", a.Namespace(), "127.0.0.1", hostLo.port, ""},
		{"instance to another's service", a.Namespace(), ServiceAddress, otherService.port, ""},
		{"instance to the subnet's broadcast", a.Namespace(), "100.64.255.255", host.port, ""},
		{"world to instance", w.beyond, b.Addr().String(), other.port, ""},
		{"world to another's service", w.beyond, ServiceAddress, otherService.port, ""},
		{"host to an instance's service", w.home, ServiceAddress, otherService.port, ""},
	} {
		for _, network := range []string{"tcp4", "udp4"} {
			wait := 5 * time.Second
			if c.seen == "" {
				wait = patience
			}
			seen, err := w.reach(c.from, network, c.addr, c.port, wait)
			if seen != c.seen {
				t.Errorf("%s by %s: seen as %q (%v), want %q", c.name, network, seen, err, c.seen)
			}
		}
	}
}

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
