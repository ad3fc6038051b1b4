package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// maxLeaves bounds the certificates that are kept in memory.
const maxLeaves = 1000

// OnDemand is the configuration of a server that has a certificate for every
// name that allow allows, made when a client asks for the name first and kept in
// memory. They are signed by the authority of LoadOrCreate's directory dir, which
// is made if it is not there, and share a key.
func OnDemand(dir string, allow func(host string) bool) (*tls.Config, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	authority, err := loadOrCreateAuthority(dir)
	if err != nil {
		return nil, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	i := &issuer{authority: authority, key: key, allow: allow, leaves: make(map[string]*tls.Certificate)}
	config := baseTLS()
	config.GetCertificate = i.get
	return config, nil
}

// issuer makes certificates for names. Safe for concurrent use.
type issuer struct {
	authority tls.Certificate
	key       *ecdsa.PrivateKey
	allow     func(host string) bool

	// mu guards leaves.
	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// get is tls.Config.GetCertificate. A client that names nobody is shown the
// certificate of localhost.
func (i *issuer) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" {
		name = "localhost"
	} else if !i.allow(name) {
		return nil, fmt.Errorf("certificate for %q: no service has that name", name)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if c := i.leaves[name]; c != nil && time.Now().Before(c.Leaf.NotAfter.AddDate(0, 0, -renewDays)) {
		return c, nil
	}
	c, err := i.issue(name)
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", name, err)
	}
	if len(i.leaves) >= maxLeaves {
		clear(i.leaves) // they are made again in a millisecond
	}
	i.leaves[name] = c
	return c, nil
}

// issue makes a certificate.
func (i *issuer) issue(name string) (*tls.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, leafTemplate([]string{name}), i.authority.Leaf, &i.key.PublicKey, i.authority.PrivateKey)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key, Leaf: leaf}, nil
}
