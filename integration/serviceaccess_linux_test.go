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

	"runnel/integration/rig"
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

// servicesOf is Google's Go client of services, over REST.
func servicesOf(d *rig.Daemon) *run.ServicesClient {
	d.Host.Helper()
	c, err := run.NewServicesRESTClient(d.Host.Context(), d.REST()...)
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = c.Close() }) // it may be closed
	return c
}

// deployPrivate deploys the test server for those who are let in.
func deployPrivate(d *rig.Daemon, name string, flags ...string) rig.Result {
	d.Host.Helper()
	args := []string{"deploy", name, "--image", d.Host.Server(), "--no-allow-unauthenticated", "--memory", "256Mi"}
	return d.CLI(append(args, flags...)...)
}

// apiURL asks the daemon's API for a path, over the socket.
func apiURL(d *rig.Daemon, path string) string {
	d.Host.Helper()
	c := d.HTTPClient()
	defer c.CloseIdleConnections()
	resp, err := c.Get("http://daemon" + path)
	if err != nil {
		d.Host.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.Host.Fatalf("%s: %s, %v\n%s", path, resp.Status, err, text)
	}
	return string(text)
}

// urlOf is a service's, as it is told.
func urlOf(d *rig.Daemon, service string) string {
	d.Host.Helper()
	return strings.TrimSpace(d.CLI("services", "describe", service, "--format", "value(status.url)").Exits(0).Stdout)
}

// adminToken is an identity token of who may use the API.
func adminToken(d *rig.Daemon, audience string) string {
	d.Host.Helper()
	return apiURL(d, "/runnel/v1/identity-token?audience="+url.QueryEscape(audience))
}

// contract: AUTH-1, AUTH-2, AUTH-3, AUTH-4, AUTH-6, NET-13, NET-14, ERR-401, ERR-403, ERR-404
func TestPrivateServiceTurnsAwayWhoMayNotCall(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	deployPrivate(d, "locked", "--add-custom-audiences", "my-audience").Exits(0)
	forbidden := page(403, "Forbidden", "Your client does not have permission to get URL <code>/a&amp;b</code> from this server.")
	unauthorized := page(401, "Unauthorized", "Your client does not have permission to the requested URL <code>/a&amp;b</code>.")
	good := adminToken(d, urlOf(d, "locked"))
	for name, c := range map[string]struct {
		header []string
		body   string
	}{
		"nothing":              {nil, forbidden},
		"garbage":              {[]string{"Authorization", "Bearer garbage"}, unauthorized},
		"another kind":         {[]string{"Authorization", "Basic YTpi"}, unauthorized},
		"another service's":    {[]string{"Authorization", "Bearer " + adminToken(d, "http://other.run.localhost")}, unauthorized},
		"the API's own token":  {[]string{"Authorization", "Bearer " + d.Token()}, unauthorized},
		"without a signature":  {[]string{"Authorization", "Bearer " + good[:strings.LastIndexByte(good, '.')+1] + "SIGNATURE_REMOVED_BY_GOOGLE"}, unauthorized},
		"no algorithm":         {[]string{"Authorization", "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(good, ".")[1] + "."}, unauthorized},
		"garbage comes first":  {[]string{"X-Serverless-Authorization", "Bearer garbage", "Authorization", "Bearer " + good}, unauthorized},
		"good in another case": {[]string{"Authorization", "bearer " + good}, ""},
	} {
		a := d.Get("locked", "/a&b", c.header...)
		switch {
		case c.body == "":
			a.Is(h, 200)
		case c.body == forbidden:
			a.Is(h, 403)
		default:
			a.Is(h, 401)
			if got := a.Header.Get("Www-Authenticate"); got != `Bearer error="invalid_token" error_description="The access token could not be verified"` {
				t.Errorf("%s: WWW-Authenticate: %s", name, got)
			}
		}
		if c.body != "" && (a.Body != c.body || a.Header.Get("Content-Type") != "text/html; charset=UTF-8") {
			t.Errorf("%s: %q\n%s\nwant\n%s", name, a.Header.Get("Content-Type"), a.Body, c.body)
		}
	}
	d.Get("nobody", "/").Is(h, 404, "The requested URL was not found on this server.")

	for _, audience := range []string{urlOf(d, "locked") + "/", "http://locked.run.localhost", "https://locked.run.localhost", "my-audience"} {
		d.Get("locked", "/", "Authorization", "Bearer "+adminToken(d, audience)).Is(h, 200)
	}
	s, _ := requestAs(d, d.Requests(), "locked", "Authorization", "Bearer "+good)
	if got := s.Headers.Get("Authorization"); got != "Bearer "+good[:strings.LastIndexByte(good, '.')]+".SIGNATURE_REMOVED_BY_GOOGLE" {
		t.Errorf("the service sees Authorization: %s", got)
	}
	s, _ = requestAs(d, d.Requests(), "locked", "X-Serverless-Authorization", "Bearer "+good, "Authorization", "mine")
	if own, platform := s.Headers.Get("Authorization"), s.Headers.Values("X-Serverless-Authorization"); own != "mine" || len(platform) != 0 {
		t.Errorf("the service sees Authorization: %s, X-Serverless-Authorization: %q", own, platform)
	}
	tells(d, "locked", "The request was not authorized to invoke this service.")
}

// contract: AUTH-3, AUTH-7
// A policy is in force as soon as it is set.
func TestPolicyIsInForceAtOnce(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	deployPrivate(d, "door").Exits(0)
	const name = "projects/local/locations/us-central1/services/door"
	iam := servicesOf(d)
	everybody := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.invoker", Members: []string{"allUsers"}}}}
	for range 3 {
		d.Get("door", "/").Is(h, 403)
		if _, err := iam.SetIamPolicy(h.Context(), &iampb.SetIamPolicyRequest{Resource: name, Policy: everybody}); err != nil {
			t.Fatal(err)
		}
		d.Get("door", "/").Is(h, 200)
		if s, _ := requestAs(d, d.Requests(), "door", "Authorization", "Bearer garbage"); s.Headers.Get("Authorization") != "Bearer garbage" {
			t.Errorf("a public service sees %v", s.Headers)
		}
		if _, err := iam.SetIamPolicy(h.Context(), &iampb.SetIamPolicyRequest{Resource: name, Policy: &iampb.Policy{}}); err != nil {
			t.Fatal(err)
		}
	}
	d.CLI("services", "update", "door", "--no-invoker-iam-check").Exits(0)
	d.Get("door", "/").Is(h, 200)
	d.CLI("services", "update", "door", "--invoker-iam-check").Exits(0)
	d.Get("door", "/").Is(h, 403)
	d.CLI("services", "add-iam-policy-binding", "door", "--member", "allUsers", "--role", "roles/run.invoker").Exits(0)
	d.Get("door", "/").Is(h, 200)
	d.Kill()
	d.Start()
	d.Get("door", "/").Is(h, 200)
	d.CLI("services", "remove-iam-policy-binding", "door", "--member", "allUsers", "--role", "roles/run.invoker").Exits(0)
	d.Get("door", "/").Is(h, 403)
}

// contract: AUTH-1, AUTH-4, ING-1, NET-13, ERR-404
// A service's own token opens the service that grants it, from inside, by both
// of its names; and an internal service can be asked from there alone.
func TestServicesCallEachOther(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	const front, stranger = "front@example.com", "stranger@example.com"
	deployPrivate(d, "back", "--ingress", "internal").Exits(0)
	d.Deploy("front", "--service-account", front).Exits(0)
	d.Deploy("stranger", "--service-account", stranger).Exits(0)
	d.CLI("services", "add-iam-policy-binding", "back", "--member", "serviceAccount:"+front, "--role", "roles/run.invoker").Exits(0)

	port := d.Ingress[strings.LastIndexByte(d.Ingress, ':'):]
	for _, where := range []string{"http://back.run.localhost" + port, "http://back.run.internal" + port} {
		for service, want := range map[string]int{"front": 200, "stranger": 403} {
			for _, audience := range []string{urlOf(d, "back"), where, ""} {
				var inner struct {
					Status int
					Body   string
				}
				query := url.Values{"url": {where + "/request"}, "audience": {audience}}
				d.Get(service, "/fetch?"+query.Encode()).Is(h, 200).Decode(h, &inner)
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
	token := "Bearer " + adminToken(d, urlOf(d, "back"))
	a := d.Get("back", "/", "Authorization", token).Is(h, 404)
	if want := page(404, "Page not found", "The requested URL was not found on this server."); a.Body != want {
		t.Errorf("from outside:\n%s\nwant\n%s", a.Body, want)
	}
	d.CLI("services", "update", "back", "--ingress", "all").Exits(0)
	d.Get("back", "/", "Authorization", token).Is(h, 200)
}

// contract: AUTH-5
// Who knows nothing of Runnel can verify its tokens, with what it publishes.
func TestTokensAreVerifiedWithThePublishedKeys(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("web", "--service-account", "web@example.com").Exits(0)
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(apiURL(d, "/.well-known/jwks.json")), &keys); err != nil {
		t.Fatal(err)
	}
	token := identityOf(d, "web", "https://elsewhere.example.com")
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
	forged, err := jwt.ParseSigned(parts[0]+"."+strings.Split(identityOf(d, "web", "https://other.example.com"), ".")[1]+"."+parts[2], []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if err := forged.Claims(keys, &claims); err == nil {
		t.Error("a forged token is good")
	}
}

// identityOf is a token of a service's own account, from its metadata server.
func identityOf(d *rig.Daemon, service, audience string) string {
	d.Host.Helper()
	query := url.Values{"audience": {audience}}
	return d.Get(service, "/identity?"+query.Encode()).Is(d.Host, 200).Body
}
