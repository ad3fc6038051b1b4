package dns

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"runnel/internal/testenv"
)

const metadataName = "metadata.google.internal."

func metadataAddr() netip.Addr { return netip.MustParseAddr("169.254.169.254") }

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

// contract: MD-1, MD-20
func TestOwnNamesAreAnsweredWithoutUpstream(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, echo)
	addr := serve(t, Config{
		Upstreams: []netip.AddrPort{u.addr},
		Hosts:     map[string]netip.Addr{metadataName: metadataAddr(), "metadata": metadataAddr()},
	})
	const reverse = "254.169.254.169.in-addr.arpa."
	for _, c := range []struct {
		name string
		kind dnsmessage.Type
		want string // the record's data; empty: no record
	}{
		{metadataName, dnsmessage.TypeA, "169.254.169.254"},
		{"metadata.", dnsmessage.TypeA, "169.254.169.254"},
		{"Metadata.GOOGLE.internal.", dnsmessage.TypeA, "169.254.169.254"},
		{metadataName, dnsmessage.TypeALL, "169.254.169.254"},
		{metadataName, dnsmessage.TypeAAAA, ""},
		{metadataName, dnsmessage.TypeTXT, ""},
		{reverse, dnsmessage.TypePTR, metadataName},
		{reverse, dnsmessage.TypeA, ""},
	} {
		for _, network := range []string{"udp", "tcp"} {
			for _, edns := range []bool{false, true} {
				m := unpack(t, ask(t, network, addr, message(t, 77, c.name, c.kind, edns), 5*time.Second))
				if m.ID != 77 || !m.Response || m.RCode != dnsmessage.RCodeSuccess || len(m.Questions) != 1 || m.Questions[0].Name.String() != c.name {
					t.Errorf("%s %v by %s: %+v", c.name, c.kind, network, m)
				}
				if got := data(m); got != c.want {
					t.Errorf("%s %v by %s: %q, want %q", c.name, c.kind, network, got, c.want)
				}
				if (len(m.Additionals) == 1) != edns {
					t.Errorf("%s %v by %s: EDNS %v, answer has %d additional records", c.name, c.kind, network, edns, len(m.Additionals))
				}
			}
		}
	}
	if n := u.asked.Load(); n != 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}

// data is the text of an answer's record.
func data(m dnsmessage.Message) string {
	if len(m.Answers) == 0 {
		return ""
	}
	switch b := m.Answers[0].Body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.PTRResource:
		return b.PTR.String()
	}
	return "?"
}

// The standard library's resolver, as a program inside would use it.
func TestGoResolverIsContent(t *testing.T) {
	t.Parallel()
	addr := serve(t, Config{Hosts: map[string]netip.Addr{metadataName: metadataAddr()}})
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	got, err := r.LookupHost(t.Context(), metadataName)
	if err != nil || len(got) != 1 || got[0] != "169.254.169.254" {
		t.Errorf("LookupHost: %q, %v", got, err)
	}
	names, err := r.LookupAddr(t.Context(), "169.254.169.254")
	if err != nil || len(names) != 1 || names[0] != metadataName {
		t.Errorf("LookupAddr: %q, %v", names, err)
	}
}

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
		addr := serve(t, Config{Upstreams: []netip.AddrPort{refuses, mute.addr, good.addr}, Timeout: 100 * time.Millisecond})
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

func TestWhatIsNoQueryIsRefusedOrPassedOver(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, echo)
	addr := serve(t, Config{Upstreams: []netip.AddrPort{u.addr}})
	good := message(t, 9, "www.example.com.", dnsmessage.TypeA, false)
	edit := func(at int, value byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = value
		return b
	}
	for _, c := range []struct {
		name string
		msg  []byte
		want dnsmessage.RCode
		none bool
	}{
		{"an answer", echo(good)[0], 0, true},
		{"too short", good[:11], 0, true},
		{"an update", edit(2, 5<<3), dnsmessage.RCodeNotImplemented, false},
		{"two questions", edit(5, 2), dnsmessage.RCodeFormatError, false},
		{"no question", edit(5, 0), dnsmessage.RCodeFormatError, false},
		{"cut off", good[:20], dnsmessage.RCodeFormatError, false},
	} {
		wait := 5 * time.Second
		if c.none {
			wait = 100 * time.Millisecond
		}
		got := ask(t, "udp", addr, c.msg, wait)
		if c.none {
			if len(got) > 0 {
				t.Errorf("%s is answered: %x", c.name, got)
			}
			continue
		}
		if m := unpack(t, got); m.RCode != c.want || m.ID != 9 {
			t.Errorf("%s: %+v, want %v", c.name, m, c.want)
		}
	}
	if n := u.asked.Load(); n != 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}

func TestResolvConfIsReadAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	r := &resolvers{path: path}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	join := func(all []netip.AddrPort) string {
		var s []string
		for _, a := range all {
			s = append(s, a.String())
		}
		return strings.Join(s, " ")
	}
	if got := r.list(); got != nil {
		t.Errorf("without a file: %v", got)
	}
	for _, c := range [][2]string{
		{"# comment\nsearch example.com\nnameserver 127.0.0.53\noptions edns0\n", "127.0.0.53:53"},
		{"nameserver 127.0.0.54\n", "127.0.0.54:53"},
		{"nameserver\nnameserver nonsense\n;nameserver 10.0.0.1\n nameserver fe80::1%eth0\n", "[fe80::1%eth0]:53"},
		{"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n", "10.0.0.1:53 10.0.0.2:53 10.0.0.3:53"},
		{"", ""},
	} {
		write(c[0])
		if got := join(r.list()); got != c[1] {
			t.Errorf("%q: got %s, want %s", c[0], got, c[1])
		}
	}
	write("nameserver 10.0.0.1\n")
	r.list()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := join(r.list()); got != "10.0.0.1:53" {
		t.Errorf("while the file is away: %s", got)
	}
}

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

func TestServeEndsWithItsSocket(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	p, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	go func() { done <- s.ServeUDP(t.Context(), p) }()
	go func() { done <- s.ServeTCP(t.Context(), l) }()
	_ = p.Close()
	_ = l.Close()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(message(f, 1, metadataName, dnsmessage.TypeA, true))
	f.Add(message(f, 1, "www.example.com.", dnsmessage.TypeA, false))
	f.Add([]byte{})
	s := New(Config{Hosts: map[string]netip.Addr{metadataName: metadataAddr()}})
	f.Fuzz(func(t *testing.T, query []byte) {
		answer := s.answer(t.Context(), "udp", query)
		if answer == nil {
			return
		}
		var p dnsmessage.Parser
		h, err := p.Start(answer)
		if err != nil || !h.Response {
			t.Errorf("answer %x to %x", answer, query)
		}
		if again := s.answer(t.Context(), "udp", answer); again != nil {
			t.Errorf("an answer is answered: %x", again)
		}
	})
}
