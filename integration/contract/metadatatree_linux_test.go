package contract

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"runnel/integration/rig"
)

// scope is what every service account has.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// identity is what a token says of its bearer.
type identity struct {
	Audience      string `json:"aud"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	Subject       string `json:"sub"`
	Expires       int64  `json:"exp"`
	Google        any    `json:"google"`
}

// verified is what a token says that the daemon's published keys have signed.
func verified(t *testing.T, d *rig.Daemon, token string) (says identity) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://daemon/.well-known/jwks.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := d.HTTPClient()
	defer client.CloseIdleConnections()
	var keys jose.JSONWebKeySet
	rig.Do(client, req).Is(d.Host, 200).Decode(d.Host, &keys)
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err == nil {
		err = parsed.Claims(keys, &says)
	}
	if err != nil {
		t.Fatalf("token %q: %v", token, err)
	}
	return says
}

// contract: MD-10
func TestMD10IdentityIsASignedTokenForAnAudience(t *testing.T) {
	m := metadata(t)
	const path = "instance/service-accounts/default/identity"
	for _, format := range []string{"", "&format=standard", "&format=full"} {
		says := verified(t, m.d, m.Get(path+"?audience=https://a.example/x"+format).is(t, 200, "").body)
		left := time.Until(time.Unix(says.Expires, 0))
		if says.Audience != "https://a.example/x" || says.Email != askerAccount || !says.EmailVerified || says.Subject == "" ||
			left < 0 || left > time.Hour || (says.Google != nil) != (format == "&format=full") {
			t.Errorf("%s: the token says %+v", format, says)
		}
	}
	for _, query := range []string{"", "?audience=", "?format=full"} {
		if a := m.Get(path + query); a.StatusCode != 400 {
			t.Errorf("%s: %d %s", query, a.StatusCode, a.body)
		}
	}
}

// contract: MD-11
func TestMD11RecursiveIsJSONWithoutTokens(t *testing.T) {
	m := metadata(t)
	a := m.Get("?recursive=true").is(t, 200, "")
	account := map[string]any{"aliases": []any{"default"}, "email": askerAccount, "scopes": []any{scope}}
	want := map[string]any{
		"instance": map[string]any{
			"id": m.Get("instance/id").body, "region": "projects/" + projectNumber + "/regions/us-central1",
			"serviceAccounts": map[string]any{"default": account, askerAccount: account},
			"zone":            "projects/" + projectNumber + "/zones/us-central1-1",
		},
		"project":  map[string]any{"numericProjectId": json.Number(projectNumber), "projectId": project},
		"universe": map[string]any{"universeDomain": "googleapis.com"},
	}
	sameJSON(t, a.body, want)
	sameJSON(t, m.Get("instance/service-accounts/default/?recursive=true").body, account) // as Google's library for Python asks
	if strings.Contains(a.body, "eyJ") {
		t.Errorf("there is a token in %s", a.body)
	}
}

// sameJSON fails the test unless a text is what want is in JSON.
func sameJSON(t *testing.T, text string, want any) {
	t.Helper()
	var got any
	err := json.Unmarshal([]byte(text), &got)
	again, _ := json.Marshal(got) // what was read can be written
	wanted, werr := json.Marshal(want)
	if err != nil || werr != nil || string(again) != string(wanted) {
		t.Errorf("got %s, want %s: %v, %v", text, wanted, err, werr)
	}
}

// contract: MD-12
func TestMD12DirectoriesListTheirChildren(t *testing.T) {
	m := metadata(t)
	for path, want := range map[string]string{
		"": "instance/\nproject/\nuniverse/\n", "instance/": "id\nregion\nservice-accounts/\nzone\n",
		"project/": "numeric-project-id\nproject-id\n",
	} {
		m.Get(path).is(t, 200, want)
	}
	for _, path := range []string{"instance", "instance?recursive=true", "instance/service-accounts/default?alt=json"} {
		to, query, asked := strings.Cut(path, "?")
		if to = prefix + to + "/"; asked {
			to += "?" + query
		}
		a := m.Get(path)
		if got := strings.TrimPrefix(a.Header.Get("Location"), "http://metadata.google.internal"); a.StatusCode != 301 || got != to {
			t.Errorf("%s: %d to %q, want 301 to %q", path, a.StatusCode, got, to)
		}
	}
}

// contract: MD-13
func TestMD13UnknownPathsAreNotFound(t *testing.T) {
	m := metadata(t)
	for _, path := range []string{
		"instance/service-account/token", "instance/hostname", "instance/id/", "instance/id/x", "nothing", "project/../instance/id",
	} {
		if a := m.Get(path); a.StatusCode != 404 || strings.Contains(a.body, "{") {
			t.Errorf("%s: %d %q", path, a.StatusCode, a.body)
		}
	}
}

// contract: MD-14
func TestMD14WhoWaitsForAChangeIsHeld(t *testing.T) {
	m := metadata(t)
	tags := map[string]string{}
	for _, path := range []string{"instance/id", "instance/zone", "instance/", "instance/?recursive=true", "project/project-id"} {
		a := m.Get(path).is(t, 200, "")
		tags[a.Header.Get("ETag")] = a.body
		if again := m.Get(path); again.Header.Get("ETag") != a.Header.Get("ETag") {
			t.Errorf("%s: ETag %q, and then %q", path, a.Header.Get("ETag"), again.Header.Get("ETag"))
		}
	}
	if len(tags) != 5 || tags[""] != "" {
		t.Errorf("five answers have the ETags %q", slices.Collect(maps.Keys(tags)))
	}
	a := m.Get("instance/zone")
	begin := time.Now()
	held := m.Get("instance/zone?wait_for_change=true&timeout_sec=2&last_etag="+a.Header.Get("ETag")).is(t, 200, a.body)
	if took := time.Since(begin); took < 2*time.Second || held.Header.Get("ETag") != a.Header.Get("ETag") {
		t.Errorf("held for %v, ETag %q", took, held.Header.Get("ETag"))
	}
	// Whoever knows something else is told at once; otherwise nobody would be for an hour.
	m.Get("instance/zone?wait_for_change=true&last_etag=0").is(t, 200, a.body)
	if g := asGoSees(m); g.library.Told != 1 {
		t.Errorf("a subscriber by Google's client for Go was told %d times, want once", g.library.Told)
	}
}

// contract: MD-15
func TestMD15RootAnswersProbes(t *testing.T) {
	a := metadata(t).At("169.254.169.254:80", "/").is(t, 200, "computeMetadata/\n")
	if got := a.Header.Get("Metadata-Flavor"); got != "Google" {
		t.Errorf("Metadata-Flavor is %q", got)
	}
}

// contract: MD-16
func TestMD16AccountsAreListedByAliasAndAddress(t *testing.T) {
	m := metadata(t)
	m.Get("instance/service-accounts/").is(t, 200, "default/\n"+askerAccount+"/\n")
	subjects := map[string]bool{}
	for _, name := range []string{"default", askerAccount} {
		at := "instance/service-accounts/" + name + "/"
		m.Get(at).is(t, 200, "aliases\nemail\nidentity\nscopes\ntoken\n")
		m.Get(at+"aliases").is(t, 200, "default\n")
		m.Get(at+"email").is(t, 200, askerAccount)
		m.Get(at+"scopes").is(t, 200, scope+"\n")
		m.Get(at+"token").is(t, 200, "")
		subjects[verified(t, m.d, m.Get(at+"identity?audience=x").body).Subject] = true
	}
	if len(subjects) != 1 {
		t.Errorf("the tokens' subjects are %v", subjects)
	}
}

// contract: MD-17
func TestMD17ForwardedRequestsAreRefused(t *testing.T) {
	m := metadata(t)
	for _, from := range []string{"10.0.0.1", "169.254.169.254", ""} {
		if a := m.Get("project/project-id", "X-Forwarded-For: "+from); a.StatusCode != 403 || strings.Contains(a.body, project) {
			t.Errorf("for %q: %d %s", from, a.StatusCode, a.body)
		}
	}
}

// contract: MD-18
func TestMD18UniverseIsGoogles(t *testing.T) {
	m := metadata(t)
	m.Get("universe/universe-domain").is(t, 200, "googleapis.com")
	if g := asGoSees(m); g.library.Universe != "googleapis.com" {
		t.Errorf("to Google's client for Go it is %q", g.library.Universe)
	}
}
