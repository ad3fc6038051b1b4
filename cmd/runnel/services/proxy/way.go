package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/daemon"
)

// Way is how to get to a service.
type Way struct {
	// address is what to connect to, HOST:PORT; empty for the URL's host.
	address string
	roots   *x509.CertPool // for https; nil for the system's
}

// Ask finds out from a daemon how to get to one of its services: names below
// localhost are nobody's to resolve, and lead to the daemon's machine.
func Ask(ctx context.Context, c *client.Client, target *url.URL) (Way, error) {
	var settings daemon.Settings
	data, err := c.Read(ctx, daemon.SettingsPath)
	if err == nil {
		err = json.Unmarshal(data, &settings)
	}
	if err != nil {
		return Way{}, fmt.Errorf("cannot read the daemon's settings: %w", c.Explain(err))
	}
	if target.Scheme != "https" {
		return Way{address: addressOf(target, settings.Ingress, c.Host())}, nil
	}
	way := Way{address: addressOf(target, settings.IngressTLS, c.Host())}
	// A daemon without an authority of its own has a certificate of a known one.
	pem, err := c.Read(ctx, daemon.CAPath)
	switch {
	case status.Code(err) == codes.NotFound:
	case err != nil:
		return Way{}, fmt.Errorf("cannot read the daemon's certificate: %w", c.Explain(err))
	default:
		if way.roots, err = x509.SystemCertPool(); err != nil {
			way.roots = x509.NewCertPool()
		}
		way.roots.AppendCertsFromPEM(pem)
	}
	return way, nil
}

// addressOf is what to connect to for target, where the daemon takes requests,
// if the name is one that only the daemon's machine knows. machine is that one's
// name, empty for this one.
func addressOf(target *url.URL, ingress, machine string) string {
	name := target.Hostname()
	if name != "localhost" && !strings.HasSuffix(name, ".localhost") {
		return ""
	}
	host := cmp.Or(machine, "127.0.0.1")
	port := cmp.Or(target.Port(), map[string]string{"http": "80", "https": "443"}[target.Scheme])
	if h, p, err := net.SplitHostPort(ingress); err == nil {
		port = p
		if ip := net.ParseIP(h); machine == "" && ip != nil && !ip.IsUnspecified() {
			host = h
		}
	}
	return net.JoinHostPort(host, port)
}

// transport goes the way, over HTTP/2 alone or over HTTP/1.
func (w Way) transport(two bool) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(!two)
	protocols.SetHTTP2(two)
	protocols.SetUnencryptedHTTP2(two)
	return &http.Transport{
		Protocols:          &protocols,
		DisableCompression: true, // bodies pass as they are
		TLSClientConfig:    &tls.Config{RootCAs: w.roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, cmp.Or(w.address, address))
		},
	}
}
