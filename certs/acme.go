package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACMEConfig says how certificates are got from a public authority.
type ACMEConfig struct {
	// Dir keeps the account and the certificates; made if missing.
	Dir string
	// Email is whom the authority writes to; it may be empty.
	Email string
	// Directory is the authority's address; Let's Encrypt's if empty.
	Directory string
	// Address is where the server listens that the configuration is for,
	// HOST:PORT: the authority's challenges (tls-alpn-01) are answered there.
	Address string
	// Allow reports whether a certificate is to be had for a host.
	Allow func(host string) bool
	// Roots are whom to trust when talking to the authority; those of the system
	// if nil.
	Roots *x509.CertPool
}

// ACME is a server's certificates from a public authority. Each is got when a
// client asks for its name first, kept on disk, and renewed in time. Using it
// means to agree with the authority's terms of service.
type ACME struct {
	cache  *certmagic.Cache
	config *certmagic.Config
}

// NewACME prepares; it asks nobody yet. The caller must Close it.
func NewACME(c ACMEConfig) (*ACME, error) {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("address of ACME challenges: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("address of ACME challenges: %w", err)
	}
	a := &ACME{}
	quiet := zap.NewNop() // what fails, a handshake tells
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		Logger:           quiet,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: c.Dir},
		Logger:  quiet,
		OnDemand: &certmagic.OnDemandConfig{DecisionFunc: func(_ context.Context, name string) error {
			if !c.Allow(name) {
				return fmt.Errorf("certificate for %q: no service has that name", name)
			}
			return nil
		}},
	})
	directory := c.Directory
	if directory == "" {
		directory = certmagic.LetsEncryptProductionCA
	}
	a.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA:                   directory,
		Email:                c.Email,
		Agreed:               true,
		DisableHTTPChallenge: true,
		ListenHost:           host,
		AltTLSALPNPort:       number,
		TrustedRoots:         c.Roots,
		Logger:               quiet,
	})}
	return a, nil
}

// TLS is the configuration of the server.
func (a *ACME) TLS() *tls.Config {
	config := a.config.TLSConfig()
	// The protocol of challenges comes last: no client asks for it with others.
	config.NextProtos = append(baseTLS().NextProtos, config.NextProtos...)
	config.MinVersion = tls.VersionTLS12
	return config
}

// Close ends renewals.
func (a *ACME) Close() error {
	a.cache.Stop()
	return nil
}
