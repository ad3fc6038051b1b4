package net

import (
	"errors"
	"fmt"
	stdnet "net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/internal/testenv"
)

func TestManyAttachments(t *testing.T) {
	w := newWorld(t)
	beyond := w.greet(t, w.beyond, "")
	testenv.NoLeaks(t)
	const workers, rounds = 8, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				a, err := w.network.Attach(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if seen, err := w.reach(a.Namespace(), "tcp4", beyondAddr, beyond.port, 5*time.Second); seen != hostAddr {
					t.Errorf("%v: seen as %q: %v", a.Addr(), seen, err)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// steps lists the steps that do runs.
func steps(n *Network, do func()) (names []string) {
	n.beforeStep = func(step string) error {
		names = append(names, step)
		return nil
	}
	do()
	n.beforeStep = nil
	return names
}

var errInjected = errors.New("injected")

func failAt(step string) func(string) error {
	return func(at string) error {
		if at == step {
			return errInjected
		}
		return nil
	}
}

func TestAttachLeavesNothingWhereverItFails(t *testing.T) {
	w := newWorld(t)
	var stays *Attachment
	names := steps(w.network, func() { stays = w.attach(t) })
	if len(names) < 8 {
		t.Fatalf("steps: %q", names)
	}
	for _, step := range names {
		t.Run(step, func(t *testing.T) {
			testenv.NoLeaks(t)
			before := w.neighbours(t, stays)
			w.network.beforeStep = failAt(step)
			_, err := w.network.Attach(t.Context())
			w.network.beforeStep = nil
			if !errors.Is(err, errInjected) || !strings.Contains(err.Error(), step) {
				t.Errorf("got %v", err)
			}
			if after := w.neighbours(t, stays); after != before {
				t.Errorf("neighbour entries were\n%sand are\n%s", before, after)
			}
			if lent := len(w.network.current().pool.taken); lent != 1 {
				t.Errorf("%d addresses are lent, want 1", lent)
			}
		})
	}
}

func TestSetupLeavesNothingWhereverItFails(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	w := &world{network: New(Config{Name: "test01"})}
	w.addUplink(t)
	names := steps(w.network, func() {
		if err := errors.Join(w.network.Setup(t.Context()), w.network.Close()); err != nil {
			t.Fatal(err)
		}
	})
	if len(names) < 7 {
		t.Fatalf("steps: %q", names)
	}
	for _, step := range names {
		t.Run(step, func(t *testing.T) {
			testenv.NoLeaks(t)
			w.network.beforeStep = failAt(step)
			defer func() { w.network.beforeStep = nil }()
			if err := w.network.Setup(t.Context()); !errors.Is(err, errInjected) || !strings.Contains(err.Error(), step) {
				t.Errorf("got %v", err)
			}
			if got, err := readSysctl(forwardingPath("up0")); err != nil || got != "0" {
				t.Errorf("forwarding is %q (%v), want 0", got, err)
			}
			if _, err := w.network.Attach(t.Context()); !errors.Is(err, ErrNotSetUp) {
				t.Errorf("Attach: %v, want ErrNotSetUp", err)
			}
		})
	}
}

// crash forgets a network as the death of its process would: descriptors go,
// everything else stays. An instance may live on and hold its namespace.
func crash(t *testing.T, n *Network, attached ...*Attachment) {
	t.Helper()
	if err := n.state.release(); err != nil {
		t.Error(err)
	}
	for _, a := range attached {
		_ = a.ns.Close()
	}
}

func TestSetupSweepsWhatACrashLeft(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	w := &world{}
	w.addUplink(t)
	crashed := New(Config{Name: "test01"})
	if err := crashed.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	var held []*Attachment
	for range 3 {
		a, err := crashed.Attach(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, a)
	}
	survivor := held[2].ns
	defer survivor.Close()
	crash(t, crashed, held[:2]...)

	w.network = New(Config{Name: "test01"})
	for range 2 { // the second call finds it done
		if err := w.network.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := linksNamed(t, "rnltest01-"); len(got) > 0 {
		t.Errorf("ports are left: %q", got)
	}
	beyond := w.greet(t, w.beyond, "")
	a, err := w.network.Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.Addr() != held[0].Addr() {
		t.Errorf("the pool begins at %v, want %v", a.Addr(), held[0].Addr())
	}
	if _, err := w.reach(a.Namespace(), "tcp4", beyondAddr, beyond.port, 5*time.Second); err != nil {
		t.Errorf("the world is not reached: %v", err)
	}
	if err := errors.Join(a.Close(), w.network.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := readSysctl(forwardingPath("up0")); err != nil || got != "0" {
		t.Errorf("forwarding of before the crash is %q (%v), want 0", got, err)
	}
}

// linksNamed lists the host's links whose names have a prefix.
func linksNamed(t *testing.T, prefix string) (names []string) {
	t.Helper()
	all, err := stdnet.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if strings.HasPrefix(l.Name, prefix) {
			names = append(names, l.Name)
		}
	}
	return names
}

func TestKernelRemovesWhatNobodyHolds(t *testing.T) {
	w := newWorld(t)
	a, err := w.network.Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = a.ns.Close()
	// The kernel takes namespaces down one after the other, those of what runs
	// beside this test too.
	testenv.Eventually(t, time.Minute, func() bool { return len(linksNamed(t, a.endpoint.Port)) == 0 },
		"the port goes with the namespace")
	a.ns = w.home // closed by the test's world
	if err := a.disconnect(); err != nil {
		t.Errorf("closing what the kernel has removed: %v", err)
	}
}

func TestNetworksOfOneHostStayApart(t *testing.T) {
	w := newWorld(t)
	second := &world{network: New(Config{Name: "test02"}), home: w.home}
	if err := second.network.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, b := w.network.Subnet(), second.network.Subnet(); a.Overlaps(b) {
		t.Fatalf("subnets %v and %v overlap", a, b)
	}
	a, b := w.attach(t), second.attach(t)
	greeter := w.greet(t, b.Namespace(), "")
	if seen, err := w.reach(a.Namespace(), "tcp4", b.Addr().String(), greeter.port, patience); err == nil {
		t.Errorf("an instance reaches one of another network, seen as %s", seen)
	}
	// Whoever closes last switches forwarding off.
	if err := w.network.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readSysctl(forwardingPath("up0")); err != nil || got != "1" {
		t.Errorf("forwarding is %q (%v) though a network needs it", got, err)
	}
	beyond := w.greet(t, w.beyond, "")
	if _, err := w.reach(b.Namespace(), "tcp4", beyondAddr, beyond.port, 5*time.Second); err != nil {
		t.Errorf("after the other network closed: %v", err)
	}
	if err := errors.Join(b.Close(), second.network.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := readSysctl(forwardingPath("up0")); err != nil || got != "0" {
		t.Errorf("forwarding is %q (%v) after the last network closed", got, err)
	}
}

func TestNetworksSetUpAtOnceTakeDifferentSubnets(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	networks := make([]*Network, 6)
	var wg sync.WaitGroup
	for i := range networks {
		networks[i] = New(Config{Name: fmt.Sprintf("many%d", i)})
		wg.Go(func() {
			if err := networks[i].Setup(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var taken []netip.Prefix
	for _, n := range networks {
		if slices.Contains(taken, n.Subnet()) {
			t.Errorf("%v is taken twice", n.Subnet())
		}
		taken = append(taken, n.Subnet())
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSetupRefusesASubnetInUse(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	w := &world{}
	w.addUplink(t)
	n := New(Config{Name: "test01", Subnet: netip.MustParsePrefix("203.0.113.0/24")})
	if err := n.Setup(t.Context()); err == nil || !strings.Contains(err.Error(), "already uses") {
		t.Errorf("got %v", err)
		_ = n.Close()
	}
}

func TestAttachWithoutRoom(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	n := New(Config{Name: "test01", Subnet: netip.MustParsePrefix("10.77.0.0/28")})
	if err := n.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 13 {
		a, err := n.Attach(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
	}
	if _, err := n.Attach(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	// Close takes down what is still attached, too; only the descriptors of
	// the namespaces are the attachments'.
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseTwiceAndAfterTheNetwork(t *testing.T) {
	w := newWorld(t)
	a, b := w.attach(t), w.attach(t)
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	if a.Namespace() != nil {
		t.Error("a closed attachment has a namespace")
	}
	if _, err := a.Listen("tcp", ServiceAddress+":80"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Listen after Close: %v", err)
	}
	if err := errors.Join(w.network.Close(), w.network.Close(), b.Close()); err != nil {
		t.Error(err)
	}
}
