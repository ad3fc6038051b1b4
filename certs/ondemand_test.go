package certs

import (
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnDemandMakesACertificateForEachNameThatIsAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, err := OnDemand(dir, func(host string) bool { return strings.HasSuffix(host, ".run.localhost") })
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveTLS(t, l, config)
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	for _, c := range []struct {
		name string
		fine bool
	}{
		{"hello.run.localhost", true}, {"tag---hello.run.localhost", true}, {"HELLO.run.localhost", true},
		{"localhost.evil.test", false}, {"localhost", false},
	} {
		leaf, err := handshake(l.Addr().String(), c.name, roots)
		if (err == nil) != c.fine {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && len(leaf.DNSNames) != 1 {
			t.Errorf("%s: the certificate is for %q", c.name, leaf.DNSNames)
		}
	}
	first, _ := handshake(l.Addr().String(), "hello.run.localhost", roots)
	if second, err := handshake(l.Addr().String(), "hello.run.localhost", roots); err != nil || !second.Equal(first) {
		t.Errorf("the second certificate is another one: %v", err)
	}
}
