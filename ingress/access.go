package ingress

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"runnel/contract"
)

// authorize finds out whether the caller may call, and leaves in the request
// what of its credentials the service may see. Public services ask nobody, and
// get Authorization as it came.
func (x *exchange) authorize() error {
	h := x.r.Header
	given, own := h[contract.ServerlessAuthorization]
	if own {
		delete(h, contract.ServerlessAuthorization)
	}
	access := &x.entry.route.Access
	if access.Public {
		return nil
	}
	if !own {
		given = h["Authorization"]
	}
	if len(given) == 0 {
		return errForbidden
	}
	token, ok := bearer(given)
	if !ok {
		return errUnauthorized
	}
	email, err := x.verify(token)
	if err != nil {
		return err
	}
	if access.Allows == nil || !access.Allows(email) {
		return errForbidden
	}
	if !own {
		h["Authorization"] = []string{"Bearer " + unsigned(token)}
	}
	return nil
}

// verify tells whose token one is. Errors: errUnauthorized.
func (x *exchange) verify(token string) (email string, err error) {
	s := x.door.server
	if s.config.Verify == nil {
		return "", errUnauthorized
	}
	email, err = s.config.Verify(token, x.audiences())
	if err == nil {
		return email, nil
	}
	if !errors.Is(err, ErrToken) {
		s.log.Warn("token was not verified", slog.String("service", x.entry.route.Service), slog.Any("err", err))
	}
	return "", errUnauthorized
}

// audiences are what a token may be for: what the service names itself, and the
// URLs of its hosts and of the one that was asked, at the ports by which a
// client may know them.
func (x *exchange) audiences() []string {
	route := x.entry.route
	all := append([]string(nil), route.Access.Audiences...)
	hosts := append([]string{x.host}, route.Hosts...)
	ports := []string{"", ":" + x.peer.port}
	if _, port, err := net.SplitHostPort(x.r.Host); err == nil && port != x.peer.port {
		ports = append(ports, ":"+port)
	}
	for i, host := range hosts {
		if i > 0 && host == x.host || strings.HasPrefix(host, "*.") {
			continue
		}
		for _, port := range ports {
			for _, scheme := range []string{"http://", "https://"} {
				url := scheme + host + port
				all = append(all, url, url+"/")
			}
		}
	}
	return all
}

// bearer is the token of the one Authorization that there may be.
func bearer(values []string) (token string, ok bool) {
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// unsigned is a token whose signature nobody can use any more.
func unsigned(token string) string {
	i := strings.LastIndexByte(token, '.')
	return token[:i+1] + contract.SignatureRemoved
}

// check refuses what no instance is to see.
func check(r *http.Request) error {
	if r.Method == http.MethodConnect || r.Host == "" {
		return errMalformed
	}
	fields := 0
	for _, values := range r.Header {
		fields += len(values)
		for _, v := range values {
			if !visible(v) {
				return errMalformed
			}
		}
	}
	if fields > contract.MaxRequestFields {
		return errFields
	}
	if r.ProtoMajor == 1 && r.ContentLength > int64(contract.MaxBody) {
		return errBody
	}
	return nil
}

// visible reports whether a header value is visible ASCII, spaces and tabs.
// Source: Cloud Run container runtime contract, "HTTP header requirements".
func visible(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' && c != '\t') || c > '~' {
			return false
		}
	}
	return true
}
