package wire

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// guard decides whom a server answers.
type guard struct {
	token string
	hosts []string
	// secure: TLS is offered.
	secure bool
}

// checkConnection refuses requests that come in a way they must not: from a web
// page, whoever's it is; by a name that an attacker has let point here; or in
// the clear from another machine although TLS is offered.
func (g guard) checkConnection(r *http.Request, p peer) error {
	switch {
	case r.Header.Get("Origin") != "", isElsewhere(r.Header.Get("Sec-Fetch-Site")):
		return status.Error(codes.PermissionDenied, "calls from web pages are not taken")
	case p.unix:
		return nil
	case g.secure && r.TLS == nil && !p.local:
		return status.Error(codes.PermissionDenied, "calls from other machines must use https")
	case g.token == "" && !g.isOwnName(r.Host):
		return status.Errorf(codes.PermissionDenied, "%q is not a name of this server", r.Host)
	}
	return nil
}

// isElsewhere reports whether a browser says that a page made it ask.
func isElsewhere(site string) bool { return site != "" && site != "none" }

// isOwnName reports whether the Host header of a request is a name that this
// server goes by. A region may stand before it: that is how gcloud asks.
func (g guard) isOwnName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if ip, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil && ip.IsLoopback() {
		return true
	}
	if strings.HasSuffix(name, ".localhost") {
		return true
	}
	for _, own := range append([]string{"localhost"}, g.hosts...) {
		if own = strings.ToLower(own); name == own || strings.HasSuffix(name, "-"+own) {
			return true
		}
	}
	return false
}

// checkToken refuses callers over TCP that do not bring the token. How long it
// takes tells nothing about the token.
func (g guard) checkToken(r *http.Request, p peer) error {
	if p.unix || g.token == "" {
		return nil
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given = strings.TrimSpace(given)
	if !strings.EqualFold(scheme, "Bearer") || given == "" {
		return status.Error(codes.Unauthenticated, "a token is asked for: send it as Authorization: Bearer TOKEN")
	}
	want, got := sha256.Sum256([]byte(g.token)), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) == 0 {
		return status.Error(codes.Unauthenticated, "the token is not the one of this server")
	}
	return nil
}
