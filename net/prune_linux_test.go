package net

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// abandon makes three instances and resumes their network: one that is then
// reattached, one that lives and nobody asks for, and one that has ended while
// there was no network.
func (w *world) abandon(t *testing.T) (reattached, unasked, ended *Attachment) {
	t.Helper()
	reattached, unasked, ended = w.attach(t), w.attach(t), w.attach(t)
	beyond := w.greet(t, w.beyond, "")
	for _, a := range []*Attachment{reattached, unasked, ended} {
		if _, err := w.reach(a.Namespace(), "udp4", beyondAddr, beyond.port, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.network.Leave(); err != nil {
		t.Fatal(err)
	}
	if err := ended.Close(); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, time.Minute, func() bool { return len(linksNamed(t, ended.endpoint.Port)) == 0 },
		"the port goes with the namespace")
	w.succeed(t, w.network.config)
	return w.reattach(t, reattached.Namespace()), unasked, ended
}

// alone fails the test unless a is the only instance the host knows of.
func (w *world) alone(t *testing.T, a *Attachment) {
	t.Helper()
	if got := linksNamed(t, "rnltest01-"); len(got) != 1 || got[0] != a.endpoint.Port {
		t.Errorf("ports are %q, want %s", got, a.endpoint.Port)
	}
	s := w.network.state
	neighbours, err := s.netlink.NeighList(s.bridge, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(neighbours) != 1 || !neighbours[0].IP.Equal(a.Addr().AsSlice()) {
		t.Errorf("the host knows %v, want %v", neighbours, a.Addr())
	}
	if len(s.pool.taken) != 1 {
		t.Errorf("%d addresses are lent, want 1", len(s.pool.taken))
	}
}

func TestPruneRemovesWhatNobodyReattached(t *testing.T) {
	w := newWorld(t)
	a, unasked, ended := w.abandon(t)
	// Until then no address is lent twice.
	for range 3 {
		if b := w.attach(t); b.Addr() == a.Addr() || b.Addr() == unasked.Addr() || b.Addr() == ended.Addr() {
			t.Errorf("%v is lent twice", b.Addr())
		} else if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second finds nothing
		if err := w.network.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.alone(t, a)
		if m, n, o := remembered(t, a.Addr()), remembered(t, unasked.Addr()), remembered(t, ended.Addr()); m != 1 || n != 0 || o != 0 {
			t.Errorf("%d, %d and %d connections are remembered, want 1, 0 and 0", m, n, o)
		}
	}
	if _, err := w.network.Reattach(t.Context(), again(t, unasked.Namespace())); !errors.Is(err, ErrNotAttached) {
		t.Errorf("Reattach after Prune: %v, want ErrNotAttached", err)
	}
}

func TestPruneLeavesTheRestWhereverItFails(t *testing.T) {
	w := newWorld(t)
	a, _, _ := w.abandon(t)
	for _, step := range []string{"delete the links", "delete the neighbour entry", "forget the connections"} {
		t.Run(step, func(t *testing.T) {
			w.network.beforeStep = failAt(step)
			defer func() { w.network.beforeStep = nil }()
			if err := w.network.Prune(t.Context()); !errors.Is(err, errInjected) || !strings.HasPrefix(err.Error(), "prune network test01: ") {
				t.Errorf("got %v", err)
			}
			if lent := len(w.network.state.pool.taken); lent != 3 {
				t.Errorf("%d addresses are lent, want 3", lent)
			}
		})
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.network.Prune(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if err := w.network.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.alone(t, a)
}
