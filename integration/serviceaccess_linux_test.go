package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	run "cloud.google.com/go/run/apiv2"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// page is what a client gets that is turned away.
func page(code int, title, sentence string) string {
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

// services is Google's Go client of services, over REST.
func (d *daemon) services() *run.ServicesClient {
	d.h.Helper()
	c, err := run.NewServicesRESTClient(d.h.Context(), d.rest()...)
	if err != nil {
		d.h.Fatal(err)
	}
	d.h.Cleanup(func() { _ = c.Close() }) // it may be closed
	return c
}

// private deploys the test server for those who are let in.
func (d *daemon) private(name string, flags ...string) result {
	d.h.Helper()
	args := []string{"deploy", name, "--image", d.h.server(), "--no-allow-unauthenticated", "--memory", "256Mi"}
	return d.cli(append(args, flags...)...)
}

// api asks the daemon's API for a path, over the socket.
func (d *daemon) api(path string) string {
	d.h.Helper()
	c := d.httpClient()
	defer c.CloseIdleConnections()
	resp, err := c.Get("http://daemon" + path)
	if err != nil {
		d.h.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.h.Fatalf("%s: %s, %v\n%s", path, resp.Status, err, text)
	}
	return string(text)
}

// url is a service's, as it is told.
func (d *daemon) url(service string) string {
	d.h.Helper()
	return strings.TrimSpace(d.cli("services", "describe", service, "--format", "value(status.url)").exits(0).stdout)
}

// adminToken is an identity token of who may use the API.
func (d *daemon) adminToken(audience string) string {
	d.h.Helper()
	return d.api("/runnel/v1/identity-token?audience=" + url.QueryEscape(audience))
}

// contract: AUTH-1, AUTH-2, AUTH-3, AUTH-4, AUTH-6, NET-13, NET-14, ERR-401, ERR-403, ERR-404
func TestPrivateServiceTurnsAwayWhoMayNotCall(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.private("locked", "--add-custom-audiences", "my-audience").exits(0)
	forbidden := page(403, "Forbidden", "Your client does not have permission to get URL <code>/a&amp;b</code> from this server.")
	unauthorized := page(401, "Unauthorized", "Your client does not have permission to the requested URL <code>/a&amp;b</code>.")
	good := d.adminToken(d.url("locked"))
	for name, c := range map[string]struct {
		header []string
		body   string
	}{
		"nothing":              {nil, forbidden},
		"garbage":              {[]string{"Authorization", "Bearer garbage"}, unauthorized},
		"another kind":         {[]string{"Authorization", "Basic YTpi"}, unauthorized},
		"another service's":    {[]string{"Authorization", "Bearer " + d.adminToken("http://other.run.localhost")}, unauthorized},
		"the API's own token":  {[]string{"Authorization", "Bearer " + d.token()}, unauthorized},
		"without a signature":  {[]string{"Authorization", "Bearer " + good[:strings.LastIndexByte(good, '.')+1] + "SIGNATURE_REMOVED_BY_GOOGLE"}, unauthorized},
		"no algorithm":         {[]string{"Authorization", "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(good, ".")[1] + "."}, unauthorized},
		"garbage comes first":  {[]string{"X-Serverless-Authorization", "Bearer garbage", "Authorization", "Bearer " + good}, unauthorized},
		"good in another case": {[]string{"Authorization", "bearer " + good}, ""},
	} {
		a := d.get("locked", "/a&b", c.header...)
		switch {
		case c.body == "":
			a.is(h, 200)
		case c.body == forbidden:
			a.is(h, 403)
		default:
			a.is(h, 401)
			if got := a.header.Get("Www-Authenticate"); got != `Bearer error="invalid_token" error_description="The access token could not be verified"` {
				t.Errorf("%s: WWW-Authenticate: %s", name, got)
			}
		}
		if c.body != "" && (a.body != c.body || a.header.Get("Content-Type") != "text/html; charset=UTF-8") {
			t.Errorf("%s: %q\n%s\nwant\n%s", name, a.header.Get("Content-Type"), a.body, c.body)
		}
	}
	d.get("nobody", "/").is(h, 404, "The requested URL was not found on this server.")

	for _, audience := range []string{d.url("locked") + "/", "http://locked.run.localhost", "https://locked.run.localhost", "my-audience"} {
		d.get("locked", "/", "Authorization", "Bearer "+d.adminToken(audience)).is(h, 200)
	}
	s, _ := d.request(d.requests(), "locked", "Authorization", "Bearer "+good)
	if got := s.Headers.Get("Authorization"); got != "Bearer "+good[:strings.LastIndexByte(good, '.')]+".SIGNATURE_REMOVED_BY_GOOGLE" {
		t.Errorf("the service sees Authorization: %s", got)
	}
	s, _ = d.request(d.requests(), "locked", "X-Serverless-Authorization", "Bearer "+good, "Authorization", "mine")
	if own, platform := s.Headers.Get("Authorization"), s.Headers.Values("X-Serverless-Authorization"); own != "mine" || len(platform) != 0 {
		t.Errorf("the service sees Authorization: %s, X-Serverless-Authorization: %q", own, platform)
	}
	d.says("locked", "The request was not authorized to invoke this service.")
}

// contract: AUTH-3, AUTH-7
// A policy is in force as soon as it is set.
func TestPolicyIsInForceAtOnce(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.private("door").exits(0)
	const name = "projects/local/locations/us-central1/services/door"
	iam := d.services()
	everybody := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.invoker", Members: []string{"allUsers"}}}}
	for range 3 {
		d.get("door", "/").is(h, 403)
		if _, err := iam.SetIamPolicy(h.Context(), &iampb.SetIamPolicyRequest{Resource: name, Policy: everybody}); err != nil {
			t.Fatal(err)
		}
		d.get("door", "/").is(h, 200)
		if s, _ := d.request(d.requests(), "door", "Authorization", "Bearer garbage"); s.Headers.Get("Authorization") != "Bearer garbage" {
			t.Errorf("a public service sees %v", s.Headers)
		}
		if _, err := iam.SetIamPolicy(h.Context(), &iampb.SetIamPolicyRequest{Resource: name, Policy: &iampb.Policy{}}); err != nil {
			t.Fatal(err)
		}
	}
	d.cli("services", "update", "door", "--no-invoker-iam-check").exits(0)
	d.get("door", "/").is(h, 200)
	d.cli("services", "update", "door", "--invoker-iam-check").exits(0)
	d.get("door", "/").is(h, 403)
	d.cli("services", "add-iam-policy-binding", "door", "--member", "allUsers", "--role", "roles/run.invoker").exits(0)
	d.get("door", "/").is(h, 200)
	d.kill()
	d.start()
	d.get("door", "/").is(h, 200)
	d.cli("services", "remove-iam-policy-binding", "door", "--member", "allUsers", "--role", "roles/run.invoker").exits(0)
	d.get("door", "/").is(h, 403)
}

// contract: AUTH-1, AUTH-4, ING-1, NET-13, ERR-404
// A service's own token opens the service that grants it, from inside, by both
// of its names; and an internal service can be asked from there alone.
func TestServicesCallEachOther(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	const front, stranger = "front@example.com", "stranger@example.com"
	d.private("back", "--ingress", "internal").exits(0)
	d.deploy("front", "--service-account", front).exits(0)
	d.deploy("stranger", "--service-account", stranger).exits(0)
	d.cli("services", "add-iam-policy-binding", "back", "--member", "serviceAccount:"+front, "--role", "roles/run.invoker").exits(0)

	port := d.ingress[strings.LastIndexByte(d.ingress, ':'):]
	for _, where := range []string{"http://back.run.localhost" + port, "http://back.run.internal" + port} {
		for service, want := range map[string]int{"front": 200, "stranger": 403} {
			for _, audience := range []string{d.url("back"), where, ""} {
				var inner struct {
					Status int
					Body   string
				}
				query := url.Values{"url": {where + "/request"}, "audience": {audience}}
				d.get(service, "/fetch?"+query.Encode()).is(h, 200).decode(h, &inner)
				if audience == "" {
					want = 403
				}
				if inner.Status != want {
					t.Errorf("%s calls %s for %q: %d, want %d\n%s", service, where, audience, inner.Status, want, inner.Body)
				}
				if want == 200 && !strings.Contains(inner.Body, ".SIGNATURE_REMOVED_BY_GOOGLE") {
					t.Errorf("back sees\n%s", inner.Body)
				}
			}
		}
	}
	token := "Bearer " + d.adminToken(d.url("back"))
	a := d.get("back", "/", "Authorization", token).is(h, 404)
	if want := page(404, "Page not found", "The requested URL was not found on this server."); a.body != want {
		t.Errorf("from outside:\n%s\nwant\n%s", a.body, want)
	}
	d.cli("services", "update", "back", "--ingress", "all").exits(0)
	d.get("back", "/", "Authorization", token).is(h, 200)
}

// contract: AUTH-5
// Who knows nothing of Runnel can verify its tokens, with what it publishes.
func TestTokensAreVerifiedWithThePublishedKeys(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("web", "--service-account", "web@example.com").exits(0)
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(d.api("/.well-known/jwks.json")), &keys); err != nil {
		t.Fatal(err)
	}
	token := d.identity("web", "https://elsewhere.example.com")
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatalf("%v in %q", err, token)
	}
	var claims struct {
		jwt.Claims
		Email string `json:"email"`
	}
	if err := parsed.Claims(keys, &claims); err != nil {
		t.Fatal(err)
	}
	if err := claims.Validate(jwt.Expected{Issuer: "https://accounts.runnel.internal", AnyAudience: jwt.Audience{"https://elsewhere.example.com"}, Time: time.Now()}); err != nil {
		t.Error(err)
	}
	if life := time.Until(claims.Expiry.Time()); claims.Email != "web@example.com" || life > time.Hour || life < 50*time.Minute {
		t.Errorf("it is of %s, for %v", claims.Email, life)
	}
	parts := strings.Split(token, ".")
	forged, err := jwt.ParseSigned(parts[0]+"."+strings.Split(d.identity("web", "https://other.example.com"), ".")[1]+"."+parts[2], []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if err := forged.Claims(keys, &claims); err == nil {
		t.Error("a forged token is good")
	}
}

// identity is a token of a service's own account, from its metadata server.
func (d *daemon) identity(service, audience string) string {
	d.h.Helper()
	query := url.Values{"audience": {audience}}
	return d.get(service, "/identity?"+query.Encode()).is(d.h, 200).body
}
