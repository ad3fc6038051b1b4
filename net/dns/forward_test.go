package dns

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestOtherNamesAreForwardedAsTheyAre(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ids := map[uint16]bool{}
	u := newUpstream(t, func(query []byte) [][]byte {
		mu.Lock()
		ids[binary.BigEndian.Uint16(query)] = true
		mu.Unlock()
		return echo(query)
	})
	addr := serve(t, Config{Upstreams: []netip.AddrPort{u.addr}})
	for _, network := range []string{"udp", "tcp"} {
		for range 10 {
			query := message(t, 4711, "www.example.com.", dnsmessage.TypeHTTPS, true)
			want := echo(query)[0]
			if got := ask(t, network, addr, query, 5*time.Second); !bytes.Equal(got, want) {
				t.Errorf("%s: got %x, want %x", network, got, want)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) < 15 {
		t.Errorf("20 queries went out under %d identifiers", len(ids))
	}
}

func TestForgedAnswersArePassedOver(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, func(query []byte) [][]byte {
		id := echo(query)[0]
		id[0] ^= 0xff // another identifier
		bit := append([]byte(nil), query...)
		other := message(t, binary.BigEndian.Uint16(query), "evil.example.", dnsmessage.TypeA, false)
		return append([][]byte{{1}, id, bit, echo(other)[0]}, echo(query)...)
	})
	addr := serve(t, Config{Upstreams: []netip.AddrPort{u.addr}})
	query := message(t, 1, "www.example.com.", dnsmessage.TypeA, false)
	if got := ask(t, "udp", addr, query, 5*time.Second); !bytes.Equal(got, echo(query)[0]) {
		t.Errorf("got %x", got)
	}
}

func TestNextUpstreamIsAskedWhenOneFails(t *testing.T) {
	t.Parallel()
	dead, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuses := netip.MustParseAddrPort(dead.LocalAddr().String())
	_ = dead.Close()
	mute, good := newUpstream(t, silent), newUpstream(t, echo)
	for _, network := range []string{"udp", "tcp"} {
		addr := serve(t, Config{Upstreams: []netip.AddrPort{refuses, mute.addr, good.addr}, Timeout: time.Second})
		query := message(t, 1, "www.example.com.", dnsmessage.TypeA, false)
		if got := ask(t, network, addr, query, 5*time.Second); !bytes.Equal(got, echo(query)[0]) {
			t.Errorf("%s: got %x", network, got)
		}
	}
	if mute.asked.Load() != 2 || good.asked.Load() != 2 {
		t.Errorf("asked %d and %d times, want 2 and 2", mute.asked.Load(), good.asked.Load())
	}
}

func TestServerFailureWithoutUpstream(t *testing.T) {
	t.Parallel()
	mute := newUpstream(t, silent)
	for name, c := range map[string]Config{
		"none":   {},
		"silent": {Upstreams: []netip.AddrPort{mute.addr}, Timeout: 50 * time.Millisecond},
		"absent": {ResolvConf: filepath.Join(t.TempDir(), "resolv.conf")},
	} {
		addr := serve(t, c)
		for _, network := range []string{"udp", "tcp"} {
			m := unpack(t, ask(t, network, addr, message(t, 5, "www.example.com.", dnsmessage.TypeA, false), 5*time.Second))
			if m.RCode != dnsmessage.RCodeServerFailure || m.ID != 5 || len(m.Questions) != 1 {
				t.Errorf("%s by %s: %+v", name, network, m)
			}
		}
	}
}
