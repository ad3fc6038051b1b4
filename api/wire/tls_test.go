package wire_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"runnel/api/wire"
	"runnel/certs"
)

// trust is what a client needs to trust the authority in dir.
func trust(t testing.TB, dir string) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s: no certificate", text)
	}
	return &tls.Config{RootCAs: pool}
}

// serial tells a certificate from one made anew.
func serial(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c.SerialNumber.String()
}

// HTTP/1.1, HTTP/2 and gRPC, each in the clear and over TLS, come in by one port.
func TestOnePortTakesEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, err := certs.LoadOrCreate(dir, []string{"us-central1-localhost"})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, wire.Config{TLS: config, Token: token})
	for _, two := range []bool{false, true} {
		for _, scheme := range []string{"http://", "https://"} {
			code, _, text := get(t, newClient(t, two, trust(t, dir)), "GET", scheme+s.addr+nowhere, "", "Authorization", "Bearer "+token)
			if code != 404 {
				t.Errorf("%s, HTTP/2: %v: %d %s", scheme, two, code, text)
			}
		}
	}
	secure := trust(t, dir)
	secure.ServerName = "us-central1-localhost"
	for name, c := range map[string]*grpc.ClientConn{
		"in the clear": dial(t, s.addr),
		"over TLS":     dial(t, s.addr, grpc.WithTransportCredentials(credentials.NewTLS(secure))),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		_, err := runpb.NewInstancesClient(c).GetInstance(ctx, &runpb.GetInstanceRequest{})
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("gRPC %s: %v", name, err)
		}
	}
}

// Close does not wait for connections that say nothing, nor for a handshake.
func TestCloseEndsSilentConnections(t *testing.T) {
	t.Parallel()
	config, err := certs.LoadOrCreate(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := startWith(t, wire.NewHurried(wire.Config{TLS: config}, time.Hour), ln)
	for _, first := range []string{"", "\x16", "G"} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(first)); err != nil {
			t.Fatal(err)
		}
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	await(t, closed, "close waits for a connection that says nothing")
}

func TestCertificatesAreKeptUntilTheyDoNotDo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tls")
	cert, ca := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "ca.pem")
	load := func(hosts ...string) *tls.Config {
		t.Helper()
		c, err := certs.LoadOrCreate(dir, hosts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	load("a.example", "10.0.0.1")
	first, authority := serial(t, cert), serial(t, ca)
	load("a.example")
	if serial(t, cert) != first {
		t.Error("a good certificate was replaced")
	}
	c := load("b.example")
	if serial(t, cert) == first || serial(t, ca) != authority {
		t.Error("a host more: want another certificate of the same authority")
	}
	leaf := c.Certificates[0].Leaf
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "b.example"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	for _, key := range []string{"ca-key.pem", "key.pem"} {
		if st, err := os.Stat(filepath.Join(dir, key)); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", key, st.Mode(), err)
		}
	}
	// Half a certificate is made again; half an authority is not.
	if err := os.WriteFile(cert, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	load("b.example")
	if err := os.WriteFile(ca, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := certs.LoadOrCreate(dir, nil); err == nil || !strings.Contains(err.Error(), "authority") {
		t.Errorf("a broken authority: %v", err)
	}
}

func TestGivenCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := certs.LoadOrCreate(dir, nil); err != nil {
		t.Fatal(err)
	}
	c, err := certs.Load(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil || c.NextProtos[0] != "h2" {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := certs.Load(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "ca-key.pem")); err == nil {
		t.Error("the key of another certificate is taken")
	}
}
