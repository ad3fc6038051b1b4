package net

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"runnel/internal/testenv"
)

// emptyNamespace makes a namespace that goes with the test.
func (w *world) emptyNamespace(t *testing.T) (ns *os.File) {
	t.Helper()
	w.in(t, w.home, func() (err error) {
		ns, err = enterNew()
		return err
	})
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

// impostor makes a namespace with a link of the name and the address that an
// instance has, whose other end is not its port but a link of the namespace
// beyond, named peer.
func (w *world) impostor(t *testing.T, addr netip.Addr, peer string) *os.File {
	t.Helper()
	ns := w.emptyNamespace(t)
	w.in(t, ns, func() error {
		handle, err := netlink.NewHandle()
		if err != nil {
			return err
		}
		defer handle.Close()
		attrs := netlink.NewLinkAttrs()
		attrs.Name = innerLink
		veth := &netlink.Veth{LinkAttrs: attrs, PeerName: peer, PeerNamespace: netlink.NsFd(w.beyond.Fd())}
		if err := handle.LinkAdd(veth); err != nil {
			return err
		}
		return handle.AddrAdd(veth, &netlink.Addr{IPNet: ipNet(hostPrefix(addr))})
	})
	return ns
}

func TestReattachRefusesWhatIsNotAttached(t *testing.T) {
	w := newWorld(t)
	a, second := w.attach(t), &world{network: New(Config{Name: "test02"}), home: w.home}
	if err := second.network.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer second.network.Close()
	other, ns := second.attach(t), again(t, a.Namespace())
	packets := w.pulse(t, "udp4", ns)
	defer packets.end(t)
	w.succeed(t, w.network.config)
	fresh := w.attach(t)
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	before := w.neighbours(t, fresh)
	refused := func(name string, ns *os.File) {
		t.Run(name, func(t *testing.T) {
			lent := len(w.network.state.pool.taken)
			got, err := w.network.Reattach(t.Context(), ns)
			if !errors.Is(err, ErrNotAttached) || got != nil {
				t.Errorf("got %v, %v, want ErrNotAttached", got, err)
			}
			if err := ns.Close(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("the namespace is still open (%v)", err)
			}
			if now := len(w.network.state.pool.taken); now != lent {
				t.Errorf("%d addresses are lent, %d were", now, lent)
			}
		})
	}
	refused("no namespace", plain)
	refused("the host", again(t, w.home))
	refused("an empty one", w.emptyNamespace(t))
	refused("beyond", again(t, w.beyond))
	refused("of another network", again(t, other.Namespace()))
	refused("attached since", again(t, fresh.Namespace()))
	refused("an impostor", w.impostor(t, a.Addr(), "first"))
	w.reattach(t, ns)
	refused("reattached already", again(t, ns))
	refused("an impostor of one reattached", w.impostor(t, a.Addr(), "second"))
	packets.goesOn(t)
	if after := w.neighbours(t, fresh); after != before {
		t.Errorf("neighbour entries were\n%sand are\n%s", before, after)
	}
}

// A port that is on no bridge any more is not the network's.
func TestReattachRefusesAPortTakenOffTheBridge(t *testing.T) {
	w := newWorld(t)
	a, stays := w.attach(t), w.attach(t)
	link, err := w.network.state.netlink.LinkByIndex(a.port)
	if err == nil {
		err = w.network.state.netlink.LinkSetNoMaster(link)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.succeed(t, w.network.config)
	if _, err := w.network.Reattach(t.Context(), again(t, a.Namespace())); !errors.Is(err, ErrNotAttached) {
		t.Errorf("got %v, want ErrNotAttached", err)
	}
	w.reattach(t, stays.Namespace())
	if err := w.network.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := linksNamed(t, "rnltest01-"); len(got) != 1 {
		t.Errorf("ports are %q, want that of %v", got, stays.Addr())
	}
}

func TestReattachLeavesEverythingWhereverItFails(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	packets := w.pulse(t, "udp4", a.Namespace())
	defer packets.end(t)
	w.succeed(t, w.network.config)
	names := steps(w.network, func() { w.reattach(t, a.Namespace()) })
	if len(names) < 5 {
		t.Fatalf("steps: %q", names)
	}
	w.succeed(t, w.network.config)
	for _, step := range names {
		t.Run(step, func(t *testing.T) {
			testenv.NoLeaks(t)
			before := w.neighbours(t, a)
			w.network.beforeStep = failAt(step)
			_, err := w.network.Reattach(t.Context(), again(t, a.Namespace()))
			w.network.beforeStep = nil
			if !errors.Is(err, errInjected) || !strings.Contains(err.Error(), step) {
				t.Errorf("got %v", err)
			}
			if after := w.neighbours(t, a); after != before {
				t.Errorf("neighbour entries were\n%sand are\n%s", before, after)
			}
			if lent := len(w.network.state.pool.taken); lent != 1 {
				t.Errorf("%d addresses are lent, want 1", lent)
			}
			packets.goesOn(t)
		})
	}
	w.reattach(t, a.Namespace())
	packets.goesOn(t)
}

func TestReattachWithoutANetwork(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	if err := w.network.Leave(); err != nil {
		t.Fatal(err)
	}
	ns := again(t, a.Namespace())
	if _, err := w.network.Reattach(t.Context(), ns); !errors.Is(err, ErrNotSetUp) {
		t.Errorf("Reattach: %v, want ErrNotSetUp", err)
	}
	if err := ns.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the namespace is still open (%v)", err)
	}
	if err := w.network.Prune(t.Context()); !errors.Is(err, ErrNotSetUp) {
		t.Errorf("Prune: %v, want ErrNotSetUp", err)
	}
	if _, err := a.Listen("tcp", ServiceAddress+":80"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Listen on what has been left: %v, want ErrClosed", err)
	}
	// Whoever comes takes down what was left.
	if err := errors.Join(w.network.Leave(), Sweep(t.Context(), "test01")); err != nil {
		t.Fatal(err)
	}
	wantForwarding(t, "up0", "0")
}

// Everything about an instance that was reattached works as if it had been
// attached: it is listened in, forgotten, and its address lent again.
func TestReattachedIsAttached(t *testing.T) {
	w := newWorld(t)
	a := w.attach(t)
	ns := again(t, a.Namespace())
	w.succeed(t, w.network.config)
	b := w.reattach(t, ns)
	l, err := b.Listen("tcp", ServiceAddress+":80")
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, 10*time.Second, func() bool {
		quiet, err := b.Quiet(1)
		return quiet && err == nil
	}, "only our own listener is in the namespace")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	w.flow(t, b, 5001)
	if n := remembered(t, b.Addr()); n != 1 {
		t.Errorf("%d connections are remembered, want 1", n)
	}
	if err := b.Forget(); err != nil {
		t.Error(err)
	}
	if n := remembered(t, b.Addr()); n != 0 {
		t.Errorf("%d connections are remembered, want none", n)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got, lent := linksNamed(t, "rnltest01-"), len(w.network.state.pool.taken); len(got) > 0 || lent != 0 {
		t.Errorf("ports %q are left and %d addresses lent", got, lent)
	}
}
