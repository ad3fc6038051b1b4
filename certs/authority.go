package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"runnel/internal/durable"
)

// How long certificates last.
const (
	authorityYears = 20
	// leafDays is below what clients accept of any authority (825 days).
	leafDays = 800
	// renewDays is how long a certificate must still last at a start.
	renewDays = leafDays / 2
)

// LoadOrCreate is the configuration of a server with a certificate for
// localhost, 127.0.0.1, ::1 and hosts (names or addresses), signed by an
// authority of its own: dir/ca.pem is what clients must trust. What dir lacks is
// made, and the certificate is made anew when it has not long to go or lacks a
// host; the authority stays. Keys have mode 0600.
func LoadOrCreate(dir string, hosts []string) (*tls.Config, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	authority, err := loadOrCreateAuthority(dir)
	if err != nil {
		return nil, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	hosts = append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if pair, err := tls.LoadX509KeyPair(certFile, keyFile); err == nil && isGood(pair, authority, hosts) {
		return serverTLS(pair), nil
	}
	pair, err := create(leafTemplate(hosts), &authority, certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate in %s: %w", dir, err)
	}
	return serverTLS(pair), nil
}

// loadOrCreateAuthority reads ca.pem and ca-key.pem, or makes them if there is
// no ca.pem. One that is there and unusable is not replaced: clients trust it.
func loadOrCreateAuthority(dir string) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem")
	if _, err := os.Stat(certFile); !errors.Is(err, fs.ErrNotExist) {
		return tls.LoadX509KeyPair(certFile, keyFile)
	}
	now := time.Now()
	return create(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "Runnel on " + hostname()},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(authorityYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil, certFile, keyFile)
}

// hostname is the name of this machine, for people to read.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "this machine"
	}
	return name
}

// leafTemplate is a server's certificate for hosts, unsigned.
func leafTemplate(hosts []string) *x509.Certificate {
	now := time.Now()
	c := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "Runnel"},
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    now.AddDate(0, 0, leafDays),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	return c
}

// isGood reports whether a certificate is of the authority, for all hosts, and
// has some time to go.
func isGood(pair, authority tls.Certificate, hosts []string) bool {
	roots := x509.NewCertPool()
	roots.AddCert(authority.Leaf)
	for _, h := range hosts {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{
			DNSName:     h,
			Roots:       roots,
			CurrentTime: time.Now().AddDate(0, 0, renewDays),
		}); err != nil {
			return false
		}
	}
	return true
}

// create makes a key and a certificate for it, signed by parent, or by itself
// if that is nil. The certificate is written last: where it is, its key is.
func create(template *x509.Certificate, parent *tls.Certificate, certFile, keyFile string) (tls.Certificate, error) {
	var none tls.Certificate
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return none, err
	}
	issuer, signer := template, any(key)
	if parent != nil {
		issuer, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, signer)
	if err != nil {
		return none, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return none, err
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := durable.WriteFile(keyFile, keyPEM, 0o600); err != nil {
		return none, err
	}
	if err := durable.WriteFile(certFile, certPEM, 0o644); err != nil {
		return none, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}
