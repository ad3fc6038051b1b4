package certs

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"

	"runnel/net/dns"
)

// authority is an ACME server that finds every name below test on loopback, and
// asks for proof at a port.
func authority(t *testing.T, port int) (directory string, trust, roots *x509.CertPool) {
	t.Helper()
	names := dns.New(dns.Config{Hosts: map[string]netip.Addr{"*.test": netip.MustParseAddr("127.0.0.1")}})
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := net.Listen("tcp4", socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = names.ServeUDP(t.Context(), socket) }()
	go func() { _ = names.ServeTCP(t.Context(), stream) }()
	t.Cleanup(func() { _ = socket.Close(); _ = stream.Close() })

	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	signer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	verifier := va.New(quiet, 0, port, false, socket.LocalAddr().String(), store)
	front := wfe.New(quiet, store, verifier, signer, []string{"test"}, false, false, 0, 0)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	trust = x509.NewCertPool()
	trust.AddCert(server.Certificate())
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(signer.GetRootCert(0).PEM())
	return server.URL + wfe.DirectoryPath, trust, roots
}

// serveTLS answers every request on l.
func serveTLS(t *testing.T, l net.Listener, config *tls.Config) {
	t.Helper()
	s := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { _ = s.Serve(tls.NewListener(l, config)) }()
	t.Cleanup(func() { _ = s.Close() })
}

// handshake asks the server at addr for a name.
func handshake(addr, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	c, err := tls.Dial("tcp", addr, &tls.Config{ServerName: name, RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0], nil
}

func TestACMEGetsACertificateForANameThatIsAllowed(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	directory, trust, roots := authority(t, l.Addr().(*net.TCPAddr).Port)
	dir := t.TempDir()
	open := func() *ACME {
		a, err := NewACME(ACMEConfig{
			Dir: dir, Directory: directory, Address: l.Addr().String(), Roots: trust,
			Allow: func(host string) bool { return host == "hello.test" },
		})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open()
	serveTLS(t, l, a.TLS())
	first, err := handshake(l.Addr().String(), "hello.test", roots)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handshake(l.Addr().String(), "other.test", roots); err == nil {
		t.Error("there is a certificate for a name that is not allowed")
	}
	_ = a.Close()

	// The next one finds it on disk.
	again, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := open()
	defer b.Close()
	serveTLS(t, again, b.TLS())
	second, err := handshake(again.Addr().String(), "hello.test", roots)
	if err != nil || !second.Equal(first) {
		t.Errorf("the certificate was not kept: %v", err)
	}
}

func TestACMENeedsAnAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "host", ":https-alt"} {
		if _, err := NewACME(ACMEConfig{Dir: t.TempDir(), Address: address}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
