package dns

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const metadataName = "metadata.google.internal."

func metadataAddr() netip.Addr { return netip.MustParseAddr("169.254.169.254") }

// contract: MD-1, MD-20
func TestOwnNamesAreAnsweredWithoutUpstream(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, echo)
	addr := serve(t, Config{
		Upstreams: []netip.AddrPort{u.addr},
		Hosts: map[string]netip.Addr{
			metadataName: metadataAddr(), "metadata": metadataAddr(),
			"*.run.example": netip.MustParseAddr("100.64.0.1"), "own.run.example": netip.MustParseAddr("100.64.0.2"),
		},
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
		{"hello.run.example.", dnsmessage.TypeA, "100.64.0.1"},
		{"hello-1.Region.run.EXAMPLE.", dnsmessage.TypeA, "100.64.0.1"},
		{"own.run.example.", dnsmessage.TypeA, "100.64.0.2"},
		{"hello.run.example.", dnsmessage.TypeAAAA, ""},
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
