package net

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"runnel/internal/testenv"
)

// again opens what a file refers to once more; it is closed with the test.
func again(t *testing.T, f *os.File) *os.File {
	t.Helper()
	twin, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = twin.Close() })
	return twin
}

// succeed replaces the world's network by one that resumes it, as if its
// process had ended and another had come.
func (w *world) succeed(t *testing.T, c Config) {
	t.Helper()
	if err := w.network.Leave(); err != nil {
		t.Fatal(err)
	}
	w.network = New(c)
	if err := w.network.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// reattach takes over the instance in a namespace; it goes with the test.
func (w *world) reattach(t *testing.T, ns *os.File) *Attachment {
	t.Helper()
	a, err := w.network.Reattach(t.Context(), again(t, ns))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// wantForwarding fails the test if a link of the host does not forward as wanted.
func wantForwarding(t *testing.T, link, want string) {
	t.Helper()
	if got, err := readSysctl(forwardingPath(link)); err != nil || got != want {
		t.Errorf("forwarding of %s is %q (%v), want %s", link, got, err, want)
	}
}

func TestResumeLosesNoPacket(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	ns, addr, bridge := again(t, a.Namespace()), a.Addr(), w.network.state.bridge
	packets, connection := w.pulse(t, "udp4", ns), w.pulse(t, "tcp4", ns)
	defer packets.end(t)
	defer connection.end(t)
	before := w.neighbours(t, a)
	for range 30 {
		w.succeed(t, w.network.config)
		if err := a.Close(); err != nil { // the descriptor only
			t.Fatal(err)
		}
		a = w.reattach(t, ns)
		if err := w.network.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	packets.goesOn(t)
	connection.goesOn(t)
	if after := w.neighbours(t, a); after != before {
		t.Errorf("neighbour entries were\n%sand are\n%s", before, after)
	}
	if a.Addr() != addr || w.network.state.bridge != bridge {
		t.Errorf("%v is %v, bridge %d is %d", addr, a.Addr(), bridge, w.network.state.bridge)
	}
	if seen, err := w.reach(w.attach(t).Namespace(), "udp4", beyondAddr, w.greet(t, w.beyond, "").port, 5*time.Second); seen != hostAddr {
		t.Errorf("a new instance is seen as %q: %v", seen, err)
	}
}

func TestCloseAfterResumeRestoresForwarding(t *testing.T) {
	w := newWorld(t)
	w.attach(t)
	w.succeed(t, w.network.config)
	w.succeed(t, w.network.config)
	wantForwarding(t, "up0", "1")
	// A link that is no uplink any more is not forgotten either.
	if err := onUplink((*netlink.Handle).AddrDel, hostAddr+"/24", hostLocal+"/32"); err != nil {
		t.Fatal(err)
	}
	w.succeed(t, w.network.config)
	wantForwarding(t, "up0", "1")
	if err := w.network.Close(); err != nil {
		t.Fatal(err)
	}
	wantForwarding(t, "up0", "0")
}

// What forwarded before a failure of the last step goes on to.
func TestResumeThatCannotForwardStopsWhatItStarted(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	packets := w.pulse(t, "udp4", a.Namespace())
	defer packets.end(t)
	if err := w.network.Leave(); err != nil {
		t.Fatal(err)
	}
	w.network = New(w.network.config)
	w.addLink(t, "up1", "198.51.100.1/24")
	remove := w.addLink(t, "up2", "198.51.100.2/24")
	w.network.beforeStep = func(step string) error {
		if step == "forward" {
			remove()
		}
		return nil
	}
	if err := w.network.Resume(t.Context()); err == nil || !strings.Contains(err.Error(), "up2") {
		t.Errorf("got %v", err)
	}
	wantForwarding(t, "up0", "1")
	wantForwarding(t, "up1", "0")
	w.network.beforeStep = nil
	if err := w.network.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantForwarding(t, "up1", "1")
	w.reattach(t, a.Namespace())
	packets.goesOn(t)
}

// addLink gives the host another link with an address, until the test ends or
// calls remove.
func (w *world) addLink(t *testing.T, name, addr string) (remove func()) {
	t.Helper()
	handle, err := netlink.NewHandle()
	if err != nil {
		t.Fatal(err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: name, PeerNamespace: netlink.NsFd(w.beyond.Fd())}
	if err := handle.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	remove = sync.OnceFunc(func() {
		if err := handle.LinkDel(veth); err != nil {
			t.Error(err)
		}
		handle.Close()
	})
	t.Cleanup(remove)
	if err := handle.AddrAdd(veth, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(addr))}); err != nil {
		t.Fatal(err)
	}
	return remove
}

// onUplink changes addresses of the host's uplink.
func onUplink(change func(*netlink.Handle, netlink.Link, *netlink.Addr) error, addrs ...string) error {
	handle, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer handle.Close()
	link, err := handle.LinkByName("up0")
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if err := change(handle, link, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(a))}); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	return nil
}

func TestResumeKeepsTheSubnetWhileAnInstanceIsAttached(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	old, other := w.network.Subnet(), Config{Name: "test01", Subnet: netip.MustParsePrefix("10.77.0.0/24")}
	packets := w.pulse(t, "udp4", a.Namespace())
	defer packets.end(t)
	w.succeed(t, other)
	packets.goesOn(t)
	if got := w.network.Subnet(); got != old {
		t.Errorf("subnet is %v though an instance has an address of %v", got, old)
	}
	b := w.reattach(t, a.Namespace())
	if got := w.attach(t).Addr(); got == b.Addr() {
		t.Errorf("%v is lent twice", got)
	}
}

func TestResumeWithoutInstancesIsSetup(t *testing.T) {
	w := newWorld(t)
	want := netip.MustParsePrefix("10.77.0.0/24")
	w.succeed(t, Config{Name: "test01", Subnet: want})
	if got := w.network.Subnet(); got != want {
		t.Errorf("subnet is %v, want %v", got, want)
	}
	wantForwarding(t, "up0", "1")
	if err := w.network.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds it done
		if err := w.network.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	beyond := w.greet(t, w.beyond, "")
	if seen, err := w.reach(w.attach(t).Namespace(), "tcp4", beyondAddr, beyond.port, 5*time.Second); seen != hostAddr {
		t.Errorf("seen as %q: %v", seen, err)
	}
}

func TestResumeLeavesEverythingWhereverItFails(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	packets := w.pulse(t, "udp4", a.Namespace())
	defer packets.end(t)
	if err := w.network.Leave(); err != nil {
		t.Fatal(err)
	}
	w.network = New(w.network.config)
	names := steps(w.network, func() {
		if err := errors.Join(w.network.Resume(t.Context()), w.network.Leave()); err != nil {
			t.Fatal(err)
		}
	})
	if len(names) < 8 {
		t.Fatalf("steps: %q", names)
	}
	// A second uplink has come meanwhile.
	w.addLink(t, "up1", "198.51.100.1/24")
	before := rulesOfTable(t, "runnel-test01")
	for _, step := range names {
		t.Run(step, func(t *testing.T) {
			testenv.NoLeaks(t)
			w.network.beforeStep = failAt(step)
			defer func() { w.network.beforeStep = nil }()
			if err := w.network.Resume(t.Context()); !errors.Is(err, errInjected) || !strings.Contains(err.Error(), step) {
				t.Errorf("got %v", err)
			}
			wantForwarding(t, "up0", "1")
			wantForwarding(t, "up1", "0")
			if after := rulesOfTable(t, "runnel-test01"); after != before {
				t.Errorf("rules were\n%sand are\n%s", before, after)
			}
			packets.goesOn(t)
		})
	}
	if err := w.network.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantForwarding(t, "up1", "1")
	w.reattach(t, a.Namespace())
	packets.goesOn(t)
}
