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
)

// upstream is a resolver of the host, on loopback, UDP and TCP on one port.
type upstream struct {
	addr   netip.AddrPort
	asked  atomic.Int64
	answer func(query []byte) [][]byte // what to send for a query, in order
}

func newUpstream(t *testing.T, answer func([]byte) [][]byte) *upstream {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{addr: netip.MustParseAddrPort(l.Addr().String()), answer: answer}
	var wg sync.WaitGroup
	wg.Go(func() { u.serveUDP(p) })
	wg.Go(func() { u.serveTCP(l) })
	t.Cleanup(func() {
		_ = l.Close()
		_ = p.Close()
		wg.Wait()
	})
	return u
}

func (u *upstream) serveUDP(p net.PacketConn) {
	buf := make([]byte, maxMessage)
	for {
		n, from, err := p.ReadFrom(buf)
		if err != nil {
			return
		}
		u.asked.Add(1)
		for _, a := range u.answer(buf[:n]) {
			_, _ = p.WriteTo(a, from)
		}
	}
}

func (u *upstream) serveTCP(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		u.asked.Add(1)
		if query, err := readTCP(c); err == nil {
			for _, a := range u.answer(query) {
				_ = writeTCP(c, a)
			}
		}
		_ = c.Close()
	}
}

// echo answers a query with itself, the response bit set: whatever was asked
// can be told from the answer.
func echo(query []byte) [][]byte {
	a := append([]byte(nil), query...)
	a[2] |= 0x80
	return [][]byte{a}
}

func silent([]byte) [][]byte { return nil }

// serve runs a Server on both kinds of socket and returns their address.
func serve(t *testing.T, c Config) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := New(c)
	var wg sync.WaitGroup
	for _, run := range []func() error{
		func() error { return s.ServeUDP(ctx, p) },
		func() error { return s.ServeTCP(ctx, l) },
	} {
		wg.Go(func() {
			if err := run(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return l.Addr().String()
}

// ask sends a message and returns the first answer, nil if there is none.
func ask(t *testing.T, network, addr string, query []byte, wait time.Duration) []byte {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(wait))
	if network == "tcp" {
		if err := writeTCP(c, query); err != nil {
			t.Fatal(err)
		}
		answer, _ := readTCP(c)
		return answer
	}
	if _, err := c.Write(query); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, maxMessage)
	n, _ := c.Read(buf)
	return buf[:n]
}

// message builds a query; edns adds an OPT record.
func message(t testing.TB, id uint16, name string, kind dnsmessage.Type, edns bool) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	if edns {
		opt := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
		opt.Header.Name = dnsmessage.MustNewName(".")
		if err := opt.Header.SetEDNS0(1232, 0, false); err != nil {
			t.Fatal(err)
		}
		m.Additionals = []dnsmessage.Resource{opt}
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unpack(t *testing.T, b []byte) dnsmessage.Message {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		t.Fatalf("answer %x: %v", b, err)
	}
	return m
}
