package net

import (
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// broken is what something on the host may have done to a network while nobody
// looked after it.
type broken func(s *state, bridge, port netlink.Link, a *Attachment) error

func waysToBreak() map[string]broken {
	return map[string]broken{
		"rules": func(s *state, _, _ netlink.Link, _ *Attachment) error { return deleteTables(s.plan.Table()) },
		"bridge down": func(s *state, bridge, _ netlink.Link, _ *Attachment) error {
			return s.netlink.LinkSetDown(bridge)
		},
		"no address": func(s *state, bridge, _ netlink.Link, _ *Attachment) error {
			return s.netlink.AddrDel(bridge, s.bridgeAddr())
		},
		"no neighbour": func(_ *state, _, _ netlink.Link, a *Attachment) error { return a.deleteNeighbour() },
		"no forwarding entry": func(s *state, _, _ netlink.Link, a *Attachment) error {
			return s.netlink.NeighDel(a.forwardingEntry())
		},
		"uplink does not forward": func(*state, netlink.Link, netlink.Link, *Attachment) error {
			return sysctl{forwardingPath("up0"), "0"}.write()
		},
		"bridge does not forward": func(*state, netlink.Link, netlink.Link, *Attachment) error {
			return sysctl{forwardingPath("rnltest01"), "0"}.write()
		},
		"port not isolated": func(s *state, _, port netlink.Link, _ *Attachment) error {
			return s.netlink.LinkSetIsolated(port, false)
		},
		"about to be deleted": func(s *state, _, _ netlink.Link, a *Attachment) error {
			return s.netlink.setGroup(a.port, s.plan.dyingGroup())
		},
	}
}

func TestResumeRepairs(t *testing.T) {
	for name, breakIt := range waysToBreak() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.attach(t)
			for range 2 { // Prune deletes several at once in another way than one
				w.attach(t)
			}
			s := w.network.state
			bridge, port := linkByIndex(t, s.bridge), linkByIndex(t, a.port)
			if err := breakIt(s, bridge, port, a); err != nil {
				t.Fatal(err)
			}
			ns := again(t, a.Namespace())
			w.succeed(t, w.network.config)
			a = w.reattach(t, ns)
			if err := w.network.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.alone(t, a)
			beyond := w.greet(t, w.beyond, "")
			if seen, err := w.reach(a.Namespace(), "tcp4", beyondAddr, beyond.port, 5*time.Second); seen != hostAddr {
				t.Errorf("seen as %q: %v", seen, err)
			}
			settings, err := netlink.LinkGetProtinfo(port)
			if err != nil || !settings.Isolated || settings.Flood || settings.Learning {
				t.Errorf("the port is %v: %v", settings, err)
			}
		})
	}
}

func linkByIndex(t *testing.T, index int) netlink.Link {
	t.Helper()
	link, err := netlink.LinkByIndex(index)
	if err != nil {
		t.Fatal(err)
	}
	return link
}
