package client

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"runnel/cmd/runnel/cli"
)

// target is a Config, read.
type target struct {
	// host is what people call it.
	host string
	// network and address are for net.Dial.
	network, address string
	// authority is the host of requests.
	authority string
	token     string
	tls       *tls.Config // nil for none
}

// parseTarget reads cfg and the files it names.
func parseTarget(cfg Config) (target, error) {
	t, err := parseHost(cfg.Host)
	if err != nil {
		return t, err
	}
	if cfg.TokenFile != "" {
		if t.token, err = readToken(cfg.TokenFile); err != nil {
			return t, err
		}
	}
	switch {
	case t.tls == nil && cfg.CAFile != "":
		return t, fmt.Errorf("%w: a CA file is of use only with https://, not with %s", ErrHost, t.host)
	case cfg.CAFile != "":
		t.tls.RootCAs, err = readCAs(cfg.CAFile)
	}
	return t, err
}

// parseHost reads a host's URL.
func parseHost(host string) (target, error) {
	if host == "" {
		host = DefaultHost
	}
	if strings.HasPrefix(host, "/") {
		host = "unix://" + host
	}
	t := target{host: host, network: "tcp"}
	u, err := url.Parse(host)
	if err != nil {
		return t, fmt.Errorf("%w: %q: want unix:///PATH, http://HOST:PORT or https://HOST:PORT", ErrHost, host)
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	switch {
	case u.Scheme == "unix" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
		t.network, t.address, t.authority = "unix", u.Path, "localhost"
		return t, nil
	case port == "" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "":
		return t, fmt.Errorf("%w: %q: want unix:///PATH, http://HOST:PORT or https://HOST:PORT", ErrHost, host)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t.address = net.JoinHostPort(u.Hostname(), port)
	t.authority = t.address
	if u.Scheme == "https" {
		t.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	}
	return t, nil
}

// readToken reads a token, the only line of its file.
func readToken(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrToken, path, cli.Bare(err))
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%w: %s holds no token: want one line", ErrToken, path)
	}
	return token, nil
}

// readCAs reads certificates to trust, and adds them to the system's.
func readCAs(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCA, path, cli.Bare(err))
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !bytes.Contains(data, []byte("BEGIN CERTIFICATE")) || !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%w: %s holds no certificate: want PEM", ErrCA, path)
	}
	return pool, nil
}
