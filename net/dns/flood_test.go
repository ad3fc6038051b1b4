package dns

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"runnel/internal/testenv"
)

// One instance that asks without end takes no more than its share, and what
// needs no upstream is still answered to others.
func TestFloodIsBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var waiting atomic.Int64
	u := newSlowUpstream(t, &waiting, release)
	s := New(Config{Upstreams: []netip.AddrPort{u}, Hosts: map[string]netip.Addr{metadataName: metadataAddr()}, Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	socket := func() string {
		p, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := s.ServeUDP(ctx, p); err != nil {
				t.Error(err)
			}
		})
		return p.LocalAddr().String()
	}
	flooded, other := socket(), socket()
	c, err := net.Dial("udp", flooded)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 4 * maxSocketQueries {
		if _, err := c.Write(message(t, uint16(i), "slow.example.", dnsmessage.TypeA, false)); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Eventually(t, 10*time.Second, func() bool { return waiting.Load() == maxSocketQueries }, "the share is used")
	if m := unpack(t, ask(t, "udp", other, message(t, 3, metadataName, dnsmessage.TypeA, false), 5*time.Second)); data(m) == "" {
		t.Errorf("another instance: %+v", m)
	}
	if n := waiting.Load(); n != maxSocketQueries {
		t.Errorf("%d queries under way, want %d", n, maxSocketQueries)
	}
	close(release)
	testenv.Eventually(t, 10*time.Second, func() bool { return waiting.Load() > maxSocketQueries }, "those that waited are asked then")
	cancel() // with queries still under way
	wg.Wait()
}

// newSlowUpstream counts queries and answers none until release is closed.
func newSlowUpstream(t *testing.T, count *atomic.Int64, release <-chan struct{}) netip.AddrPort {
	t.Helper()
	var held sync.WaitGroup
	p, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	held.Go(func() {
		buf := make([]byte, maxMessage)
		for {
			n, from, err := p.ReadFrom(buf)
			if err != nil {
				return
			}
			count.Add(1)
			answer := echo(buf[:n])[0]
			held.Go(func() {
				select {
				case <-release:
					_, _ = p.WriteTo(answer, from)
				case <-t.Context().Done():
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = p.Close()
		held.Wait()
	})
	return netip.MustParseAddrPort(p.LocalAddr().String())
}
