package daemon

import (
	"net"
	"net/netip"
	"testing"
)

func TestSameAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, want string
		same       bool
	}{
		{"[::]:8080", ":8080", true},
		{"0.0.0.0:8080", ":8080", true},
		{"[::]:8080", "0.0.0.0:8080", true},
		{"127.0.0.1:8080", "127.0.0.1:8080", true},
		{"127.0.0.1:8080", ":8080", false},
		{"[::]:8080", "127.0.0.1:8080", false},
		{"[::]:8080", ":8081", false},
		{"127.0.0.1:8080", "127.0.0.1:0", false},
		{"127.0.0.1:8080", "nonsense", false},
	} {
		have := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.have))
		if got := sameAddress(have, c.want); got != c.same {
			t.Errorf("%s and %s: %v", c.have, c.want, got)
		}
	}
}

func TestURLNamesThePortWhereItIsNotTheUsualOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address, tls, domain, want string
	}{
		{":8080", "", "run.localhost", "http://a.run.localhost:8080"},
		{":80", "", "run.localhost", "http://a.run.localhost"},
		{":8080", ":8443", "run.localhost", "http://a.run.localhost:8080"},
		{":80", ":443", "example.com", "https://a.example.com"},
		{"", ":8443", "run.localhost", "https://a.run.localhost:8443"},
		{"", "", "run.localhost", "https://a.run.localhost"},
	} {
		cfg := DefaultConfig()
		cfg.Ingress.Address, cfg.Ingress.TLSAddress, cfg.Ingress.Domain = c.address, c.tls, c.domain
		d := &Daemon{cfg: cfg}
		if got := d.url("a." + c.domain); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}
