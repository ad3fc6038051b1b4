package image

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// network is the way to one registry and to where it redirects. It decides
// which hosts may be contacted and how; the credentials are added above it, so
// nothing that it refuses ever sees them.
//
//   - A loopback registry is spoken to in plain HTTP, every other in HTTPS.
//     Other hosts get plain HTTP only between loopback addresses.
//   - A registry may send us to public addresses, never to private, link-local
//     or loopback ones (the host's metadata server, its neighbours). What counts
//     is the address that is dialled, after name resolution. The registry's own
//     host:port, trusted hosts and the configured proxy are exempt.
type network struct {
	registry string
	trusted  []string
	http     *http.Transport
	// proxies holds the host:port of every proxy in use.
	proxies sync.Map
}

// refusedError is a connection that was not made.
type refusedError struct{ what string }

// Error says what was refused.
func (e *refusedError) Error() string { return ErrRefusedHost.Error() + ": " + e.what }

// Unwrap is ErrRefusedHost.
func (e *refusedError) Unwrap() error { return ErrRefusedHost }

func newNetwork(registry string, trusted []string) *network {
	n := &network{registry: registry, trusted: trusted}
	n.http = &http.Transport{
		Proxy:                  n.proxy,
		DialContext:            n.dial,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    16,
		ReadBufferSize:         64 << 10,
		ForceAttemptHTTP2:      true,
		// A layer is compressed by its own choice, not by the transport's.
		DisableCompression: true,
	}
	return n
}

// RoundTrip makes a request in the scheme that its host is entitled to. The body
// of the response is a watchedBody.
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	req, err := n.inScheme(req)
	if err != nil {
		return nil, err
	}
	ctx, note := hearing(req.Context())
	ctx, cancel := context.WithCancelCause(ctx)
	req = req.WithContext(ctx)
	resp, err := n.http.RoundTrip(req)
	if err != nil {
		cancel(err)
		return nil, err
	}
	note(resp)
	resp.Body = watchBody(req, resp, cancel)
	return resp, nil
}

// inScheme puts a request for the registry itself into the one scheme that is
// spoken to it, and refuses to talk to others in the open.
func (n *network) inScheme(req *http.Request) (*http.Request, error) {
	scheme := req.URL.Scheme
	switch {
	case scheme != "https" && scheme != "http":
		return nil, &refusedError{"scheme " + oneLine(scheme)}
	case req.URL.Host == n.registry && scheme != n.scheme():
		req = req.Clone(req.Context())
		req.URL.Scheme = n.scheme()
	case req.URL.Host != n.registry && scheme == "http" && !(loopback(n.registry) && loopback(req.URL.Host)):
		return nil, &refusedError{"plain HTTP to " + oneLine(req.URL.Host)}
	}
	return req, nil
}

func (n *network) proxy(req *http.Request) (proxy *url.URL, err error) {
	proxy, err = http.ProxyFromEnvironment(req)
	if proxy != nil {
		n.proxies.Store(withPort(proxy.Host, proxy.Scheme), true)
	}
	return proxy, err
}

func (n *network) dial(ctx context.Context, proto, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if !n.exempt(addr) {
		dialer.ControlContext = func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			return checkPublic(addr, resolved)
		}
	}
	return dialer.DialContext(ctx, proto, addr)
}

func (n *network) exempt(addr string) bool {
	_, isProxy := n.proxies.Load(addr)
	return isProxy || addr == withPort(n.registry, n.scheme()) || slices.Contains(n.trusted, addr)
}

func (n *network) scheme() string {
	if loopback(n.registry) {
		return "http"
	}
	return "https"
}

func (n *network) close() { n.http.CloseIdleConnections() }

// withPort adds the scheme's port to a host that has none.
func withPort(host, scheme string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "443"
	if scheme == "http" {
		port = "80"
	}
	return net.JoinHostPort(hostOnly(host), port)
}

// CheckTrustedHost says what is wrong with one of StoreConfig's trusted hosts;
// nil if nothing is.
func CheckTrustedHost(host string) error {
	name, port, err := net.SplitHostPort(host)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || name == "" || perr != nil || n == 0 {
		return fmt.Errorf("%q: want HOST:PORT, such as gitlab.example.com:443", host)
	}
	return nil
}

// checkPublic refuses an address that is not on the public internet.
func checkPublic(host, resolved string) error {
	ap, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return &refusedError{fmt.Sprintf("%s: %v", host, err)}
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.IsGlobalUnicast() && !ip.IsPrivate() && !inAny(ip, notPublic()) {
		return nil
	}
	return &refusedError{fmt.Sprintf("%s leads to %s, which is not a public address, and %s is no trusted host", host, ip, host)}
}

// notPublic lists what netip's predicates leave out.
// Sources: RFC 6890, RFC 6598 (carrier-grade NAT), RFC 6052 and 3056 (IPv4
// addresses inside IPv6 ones).
func notPublic() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("64:ff9b::/96"),
		netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("2002::/16"),
		netip.MustParsePrefix("::/96"),
	}
}

func inAny(ip netip.Addr, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
}
