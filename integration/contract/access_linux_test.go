package contract

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"runnel/integration/rig"
)

// sentPage is what a client gets that is turned away.
func sentPage(code int, title, sentence string) string {
	return fmt.Sprintf(`
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>%d %s</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: %s</h1>
<h2>%s</h2>
<h2></h2>
</body></html>
`, code, title, title, sentence)
}

// forbidden and unauthorized are the pages for the path /a&b, and unknown is the
// one for what is not there.
var (
	forbidden    = sentPage(403, "Forbidden", "Your client does not have permission to get URL <code>/a&amp;b</code> from this server.")
	unauthorized = sentPage(401, "Unauthorized", "Your client does not have permission to the requested URL <code>/a&amp;b</code>.")
	unknown      = sentPage(404, "Page not found", "The requested URL was not found on this server.")
)

// isPage fails the test unless an answer is a page, byte for byte.
func isPage(h *rig.Host, a rig.Answer, code int, page string) {
	h.Helper()
	a.Is(h, code)
	if kind := a.Header.Get("Content-Type"); a.Body != page || kind != "text/html; charset=UTF-8" {
		h.Errorf("%s\n%s\nwant\n%s", kind, a.Body, page)
	}
}

// locked creates the service by the API, with what everything is by default.
func (s *ownService) locked() {
	s.t.Helper()
	body := fmt.Sprintf(`{"template":{"healthCheckDisabled":true,"containers":[{"image":%q,"resources":{"limits":{"memory":"128Mi"}}}]}}`, s.Host.Server())
	apiCall(s.Daemon, http.MethodPost, "/v2/"+s.place+"/services?serviceId="+s.name, body).Is(s.Host, 200)
	s.ready()
}

// admin is an identity token of who may use the API, as a header, for an audience.
func (s *ownService) admin(audience string) []string {
	s.t.Helper()
	token := apiCall(s.Daemon, http.MethodGet, "/runnel/v1/identity-token?audience="+url.QueryEscape(audience), "").Is(s.Host, 200).Body
	return bearer(token)
}

// own is a token of the service's own account, as a header, for an audience. The
// administrator has the service ask for it.
func (s *ownService) own(audience string) []string {
	s.t.Helper()
	return bearer(s.asked("/identity?audience="+url.QueryEscape(audience), s.admin(s.is().GetUri())...).Is(s.Host, 200).Body)
}

// bearer is a header with a token.
func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// contract: AUTH-1
func TestAUTH1ServicesArePrivate(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.locked()
	isPage(s.Host, s.asked("/a&b"), 403, forbidden)
	own := s.own(s.is().GetUri())
	isPage(s.Host, s.asked("/a&b", own...), 403, forbidden) // it is good, but nobody has given it the right
	s.verb("add-iam-policy-binding", "--member", "serviceAccount:default@local.iam.gserviceaccount.com", "--role", "roles/run.invoker").Exits(0)
	s.asked("/a&b", own...).Is(s.Host, 200)
	isPage(s.Host, s.asked("/a&b"), 403, forbidden)
}

// contract: AUTH-2
func TestAUTH2CredentialsThatCannotBeVerifiedAreRefused(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.locked()
	good := s.admin(s.is().GetUri())[1]
	cut := strings.LastIndexByte(good, '.')
	for name, credential := range map[string]string{
		"garbage": "Bearer garbage", "another kind": "Basic YTpi", "the API's own token": "Bearer " + s.Token(),
		"without a signature": good[:cut+1], "a part of the signature": good[:cut+20],
		"no algorithm": "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(good, ".")[1] + ".",
	} {
		a := s.asked("/a&b", "Authorization", credential)
		isPage(s.Host, a, 401, unauthorized)
		if got := a.Header.Get("Www-Authenticate"); got != `Bearer error="invalid_token" error_description="The access token could not be verified"` {
			t.Errorf("%s: WWW-Authenticate: %s", name, got)
		}
	}
	s.asked("/", "Authorization", good).Is(s.Host, 200)
}

// contract: AUTH-3
func TestAUTH3ServicesBecomePublic(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.locked()
	everybody := []string{"--member", "allUsers", "--role", "roles/run.invoker"}
	for _, c := range []struct {
		code  int
		verb  string
		flags []string
	}{
		{200, "add-iam-policy-binding", everybody},
		{403, "remove-iam-policy-binding", everybody},
		{200, "update", []string{"--no-invoker-iam-check"}},
		{403, "update", []string{"--invoker-iam-check"}},
	} {
		s.verb(c.verb, c.flags...).Exits(0)
		s.asked("/").Is(s.Host, c.code)
	}
}

// contract: AUTH-4
func TestAUTH4AudienceIsTheServices(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.locked()
	s.verb("update", "--add-custom-audiences", "my-audience").Exits(0)
	s.splits("--update-tags", "next=LATEST")
	uri := s.is().GetUri()
	tagged := strings.Replace(uri, "http://", "http://next---", 1)
	for _, audience := range append(s.is().GetUrls(), uri+"/", "my-audience", "my-audience/") {
		s.asked("/", s.admin(audience)...).Is(s.Host, 200)
		s.tagged("next", "/", s.admin(audience)...).Is(s.Host, 200)
	}
	s.tagged("next", "/", s.admin(tagged)...).Is(s.Host, 200)
	for _, audience := range []string{"other", "my-audience-2", "http://other.run.localhost", uri + "/path", tagged} {
		isPage(s.Host, s.asked("/a&b", s.admin(audience)...), 401, unauthorized)
	}
}

// contract: AUTH-5
func TestAUTH5TokensAreVerifiedWithThePublishedKeys(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.deploys().Exits(0)
	var keys jose.JSONWebKeySet
	apiCall(s.Daemon, http.MethodGet, "/.well-known/jwks.json", "").Is(s.Host, 200).Decode(s.Host, &keys)
	before := time.Now()
	token := strings.TrimPrefix(s.own("https://elsewhere.example.com")[1], "Bearer ")
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatalf("%v in %q", err, token)
	}
	var claims jwt.Claims
	if err := parsed.Claims(keys, &claims); err != nil {
		t.Fatal(err)
	}
	if err := claims.Validate(jwt.Expected{Issuer: "https://accounts.runnel.internal", AnyAudience: jwt.Audience{"https://elsewhere.example.com"}, Time: time.Now()}); err != nil {
		t.Error(err)
	}
	if life := claims.Expiry.Time().Sub(claims.IssuedAt.Time()); life != time.Hour || claims.IssuedAt.Time().Before(before.Add(-10*time.Minute)) {
		t.Errorf("it lives for %v from %v", life, claims.IssuedAt.Time())
	}
	other, err := json.Marshal(jwt.Claims{Issuer: claims.Issuer, Audience: jwt.Audience{"https://other.example.com"}, Expiry: claims.Expiry})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	forged, err := jwt.ParseSigned(parts[0]+"."+base64.RawURLEncoding.EncodeToString(other)+"."+parts[2], []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if err := forged.Claims(keys, &claims); err == nil {
		t.Error("a forged token is good")
	}
}

// contract: AUTH-6
func TestAUTH6UnknownHostsAreNotFound(t *testing.T) {
	d := daemon(t)
	isPage(d.Host, d.Get(nameOf(t, "nobody"), "/"), 404, unknown)
	isPage(d.Host, d.Get(nameOf(t, "nobody"), "/", "Authorization", "Bearer garbage"), 404, unknown)
	for _, host := range []string{"example.com", "run.localhost", "127.0.0.1"} {
		r, err := http.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		isPage(d.Host, rig.Do(d.Requests(), r), 404, unknown)
	}
}

// contract: AUTH-7
func TestAUTH7PublicServicesExamineNoCredentials(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.deploys().Exits(0)
	expired := s.admin("other")[1]
	for _, credential := range []string{"Bearer garbage", "Basic YTpi", expired, expired[:len(expired)-9]} {
		var seen struct{ Headers http.Header }
		s.asked("/request", "Authorization", credential).Is(s.Host, 200).Decode(s.Host, &seen)
		if got := seen.Headers.Get("Authorization"); got != credential {
			t.Errorf("%q is seen as %q", credential, got)
		}
	}
}
