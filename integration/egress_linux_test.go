package integration

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"runnel/integration/rig"
)

// The world outside the host, as far as this test needs one: a link with the
// host at one end and a server at the other.
const (
	hostAddr   = "192.0.2.1"
	serverAddr = "192.0.2.2"
)

// A task reaches what the host reaches, under the host's address.
func TestTaskReachesTheWorld(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	port, guests := worldOutside(t)
	r := h.Run(h.Script(fmt.Sprintf(`nc -w 5 %s %d </dev/null; ping -c 1 -W 5 %s >/dev/null && echo pinged`,
		serverAddr, port, serverAddr), "--tasks", "2")...)
	r.Exits(0)
	if strings.Count(r.Stdout, "stdout welcome\n") != 2 || strings.Count(r.Stdout, "stdout pinged\n") != 2 {
		t.Fatalf("two tasks did not reach the server\n%s", r)
	}
	for range 2 {
		if guest := <-guests; guest != hostAddr {
			t.Errorf("the server saw %s, want the host's address", guest)
		}
	}
}

// worldOutside makes the link, a server in a network namespace of its own, and
// a default route to it. It tells the server's port, and who came.
func worldOutside(t *testing.T) (port int, guests <-chan string) {
	t.Helper()
	ns := newNamespace(t)
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "here"}, PeerName: "there", PeerNamespace: netlink.NsFd(ns.Fd())}
	if err := netlink.LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := netlink.LinkDel(pair); err != nil {
			t.Error(err)
		}
	})
	if err := putAddress("here", hostAddr); err != nil {
		t.Fatal(err)
	}
	if err := netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(serverAddr)}); err != nil {
		t.Fatal(err)
	}
	var server net.Listener
	err := within(ns, func() (err error) {
		if err = putAddress("there", serverAddr); err == nil {
			server, err = net.Listen("tcp", serverAddr+":0")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return server.Addr().(*net.TCPAddr).Port, welcome(t, server)
}

// newNamespace makes a network namespace that lives as long as the test.
func newNamespace(t *testing.T) *os.File {
	t.Helper()
	var ns *os.File
	err := aside(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			ns, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	})
	return ns
}

// within calls f on a thread in ns. Sockets stay in the namespace they were
// opened in, wherever they are used.
func within(ns *os.File, f func() error) error {
	return aside(func() error {
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// aside calls f on a thread that ends afterwards, so that f may move it.
func aside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good
		done <- f()
	}()
	return <-done
}

// putAddress sets a link up and gives it an address.
func putAddress(link, addr string) error {
	l, err := netlink.LinkByName(link)
	if err != nil {
		return err
	}
	a, err := netlink.ParseAddr(addr + "/24")
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(l, a); err != nil {
		return err
	}
	return netlink.LinkSetUp(l)
}

// welcome answers guests until the test ends.
func welcome(t *testing.T, server net.Listener) <-chan string {
	t.Helper()
	guests := make(chan string, 100)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			guests <- c.RemoteAddr().(*net.TCPAddr).IP.String()
			_, _ = c.Write([]byte("welcome\n")) // the guest tells if it hears nothing
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = server.Close() // ends Accept
		serving.Wait()
	})
	return guests
}
