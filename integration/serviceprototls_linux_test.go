package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/interop/grpc_testing"

	"runnel/integration/rig"
)

// contract: NET-3, NET-4, NET-12, URL-1
// TLS by certificates of the root's own authority: for each service's name, with
// HTTP/2 and without, and for gRPC, before and after a kill.
func TestServicesByTLS(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	secure := rig.FreeAddress(h)
	d := h.ServeRequests("--ingress-tls", secure)
	d.Deploy("hello").Exits(0)
	d.Deploy("rpc", "--use-http2", "--set-env-vars", "H2C=1").Exits(0)
	for range 2 {
		roots := authorityOf(d)
		for protocol, own := range map[string][]string{"HTTP/2.0": {"h2", "http/1.1"}, "HTTP/1.1": {"http/1.1"}} {
			client := requestsTLS(d, secure, &tls.Config{RootCAs: roots, NextProtos: own})
			r, err := http.NewRequest(http.MethodGet, "https://hello.run.localhost/request", nil)
			if err != nil {
				t.Fatal(err)
			}
			a := rig.Do(client, r).Is(h, 200)
			var s seen
			a.Decode(h, &s)
			if a.Protocol != protocol || s.Protocol != "HTTP/1.1" || s.Headers.Get("X-Forwarded-Proto") != "https" || !strings.HasSuffix(s.Headers.Get("Forwarded"), ";proto=https") {
				t.Errorf("by %s, want %s, the service sees %+v", a.Protocol, protocol, s)
			}
		}
		conn, err := grpc.NewClient("passthrough:///rpc.run.localhost:443",
			grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, "")),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", secure)
			}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := grpc_testing.NewTestServiceClient(conn).EmptyCall(h.Limit(rig.Patience()), &grpc_testing.Empty{}); err != nil {
			t.Errorf("gRPC: %v", err)
		}
		_ = conn.Close() // nothing is under way
		d.Kill()
		d.Start()
	}

	// Nobody gets a certificate for a name that is not here, and nobody else
	// is believed.
	for name, config := range map[string]*tls.Config{
		"a name that is not here": {RootCAs: authorityOf(d), ServerName: "nobody.example.com"},
		"another authority":       {RootCAs: x509.NewCertPool(), ServerName: "hello.run.localhost"},
	} {
		if c, err := tls.Dial("tcp", secure, config); err == nil {
			t.Errorf("%s: there is a connection", name)
			_ = c.Close() // it should not be
		}
	}
	if _, err := exec.LookPath("curl"); err != nil {
		return // in the virtual machine there is none
	}
	port := secure[strings.LastIndexByte(secure, ':'):]
	out, err := exec.Command("curl", "-sS", "-m", "60", "--cacert", filepath.Join(d.Root, "tls", "ca.pem"),
		"-w", " %{http_version}", "https://hello.run.localhost"+port+"/").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "hello hello-00001-") || !strings.HasSuffix(string(out), " 2") {
		t.Errorf("curl: %v\n%s", err, out)
	}
}

// authorityOf is what clients of the daemon's services trust.
func authorityOf(d *rig.Daemon) *x509.CertPool {
	d.Host.Helper()
	text, err := os.ReadFile(filepath.Join(d.Root, "tls", "ca.pem"))
	if err != nil {
		d.Host.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		d.Host.Fatalf("no certificate in\n%s", text)
	}
	return roots
}

// requestsTLS is a client to which every host is at an address, by TLS.
func requestsTLS(d *rig.Daemon, address string, config *tls.Config) *http.Client {
	c := d.Requests()
	transport := c.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	transport.TLSClientConfig = config
	transport.ForceAttemptHTTP2 = slices.Contains(config.NextProtos, "h2")
	return c
}
