package metadata_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"runnel/metadata"
)

// first and second are two instances of one host.
var (
	first = metadata.Identity{
		InstanceID: strings.Repeat("0a", 65), ProjectID: "demo", ProjectNumber: "123456789012",
		Region: "europe-west9", ServiceAccount: "runner@demo.iam.gserviceaccount.com",
	}
	second = metadata.Identity{
		InstanceID: strings.Repeat("0b", 65), ProjectID: "demo", ProjectNumber: "123456789012",
		Region: "europe-west9", ServiceAccount: "other@demo.iam.gserviceaccount.com",
	}
)

// serve runs the product's own server on loopback for the identity that
// current returns, and returns its URL.
func serve(t *testing.T, h *metadata.Handler, current func() *metadata.Identity) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := metadata.NewServer(h)
	srv.BaseContext = func(net.Listener) context.Context {
		return metadata.WithIdentity(context.Background(), current)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Errorf("Serve = %v", err)
		}
	})
	return "http://" + ln.Addr().String()
}

// start serves id with tokens of a fresh key.
func start(t *testing.T, id metadata.Identity) string {
	t.Helper()
	return serve(t, metadata.New(metadata.Config{Tokens: newSigner(t)}), func() *metadata.Identity { return &id })
}

func newSigner(t *testing.T) *metadata.Signer {
	t.Helper()
	s, err := metadata.LoadOrCreateSigner(filepath.Join(t.TempDir(), "keys", "token.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks for a URL with the required header and reads the answer whole,
// without following redirects.
func get(t *testing.T, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Metadata-Flavor", "Google")
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

const v1 = "/computeMetadata/v1/"

// contract: MD-4 MD-5 MD-6 MD-7 MD-8 MD-12 MD-16 MD-18
func TestValuesAndDirectoriesAnswerAsText(t *testing.T) {
	t.Parallel()
	url := start(t, first)
	account := v1 + "instance/service-accounts/" + first.ServiceAccount + "/"
	for path, want := range map[string]string{
		"/":                               "computeMetadata/\n",
		"/computeMetadata/":               "v1/\n",
		v1:                                "instance/\nproject/\nuniverse/\n",
		v1 + "project/":                   "numeric-project-id\nproject-id\n",
		v1 + "project/project-id":         "demo",
		v1 + "project/numeric-project-id": "123456789012",
		v1 + "instance/":                  "id\nregion\nservice-accounts/\nzone\n",
		v1 + "instance/id":                first.InstanceID,
		v1 + "instance/region":            "projects/123456789012/regions/europe-west9",
		v1 + "instance/zone":              "projects/123456789012/zones/europe-west9-1",
		v1 + "instance/service-accounts/": "default/\n" + first.ServiceAccount + "/\n",
		v1 + "instance/service-accounts/default/":        "aliases\nemail\nidentity\nscopes\ntoken\n",
		v1 + "instance/service-accounts/default/email":   first.ServiceAccount,
		v1 + "instance/service-accounts/default/aliases": "default\n",
		v1 + "instance/service-accounts/default/scopes":  metadata.Scope + "\n",
		account:           "aliases\nemail\nidentity\nscopes\ntoken\n",
		account + "email": first.ServiceAccount,
		strings.ReplaceAll(account, "@", "%40") + "email":        first.ServiceAccount,
		v1 + "universe/universe-domain":                          "googleapis.com",
		v1 + "instance/id?alt=text":                              first.InstanceID,
		v1 + "instance/id?alt=json":                              `"` + first.InstanceID + `"`,
		v1 + "project/numeric-project-id?alt=json":               "123456789012",
		v1 + "instance/service-accounts/default/scopes?alt=json": `["` + metadata.Scope + `"]`,
		v1 + "project/?alt=json":                                 `["numeric-project-id","project-id"]`,
		v1 + "project/?recursive=true&alt=text":                  "numeric-project-id 123456789012\nproject-id demo\n",
	} {
		resp, body := get(t, url+path)
		if resp.StatusCode != http.StatusOK || body != want {
			t.Errorf("GET %s = %d %q, want %q", path, resp.StatusCode, body, want)
		}
		wantType := "application/text"
		if strings.Contains(path, "alt=json") {
			wantType = "application/json"
		}
		if got := resp.Header.Get("Content-Type"); got != wantType {
			t.Errorf("GET %s has Content-Type %q, want %q", path, got, wantType)
		}
	}
}

// contract: MD-2 MD-3 MD-13 MD-15 MD-17 ATK-19
func TestStatusesAndHeaders(t *testing.T) {
	t.Parallel()
	url := start(t, first)
	for _, tt := range []struct {
		name, path string
		headers    []string
		status     int
		body       string
	}{
		{"residency probe", "/", nil, 200, "computeMetadata/"},
		{"no header", v1 + "project/project-id", []string{"Metadata-Flavor", ""}, 403, "Metadata-Flavor: Google"},
		{"no header on an unknown path", "/nothing", []string{"Metadata-Flavor", ""}, 403, "Metadata-Flavor"},
		{"wrong header", v1 + "project/project-id", []string{"Metadata-Flavor", "google"}, 403, "Metadata-Flavor"},
		{"forwarded", v1 + "project/project-id", []string{"X-Forwarded-For", "10.0.0.1"}, 403, "X-Forwarded-For"},
		{"common typo", v1 + "instance/service-account/token", nil, 404, ""},
		{"value with a slash", v1 + "instance/id/", nil, 404, ""},
		{"beneath a value", v1 + "instance/id/x", nil, 404, ""},
		{"not of Cloud Run", v1 + "instance/hostname", nil, 404, ""},
		{"another account", v1 + "instance/service-accounts/" + second.ServiceAccount + "/email", nil, 404, ""},
		{"doubled slash", v1 + "/instance/id", nil, 404, ""},
		{"climbing", v1 + "project/../instance/id", nil, 404, ""},
		{"old version", "/computeMetadata/v1beta1/instance/id", nil, 404, ""},
		{"unknown form", v1 + "instance/id?alt=xml", nil, 400, "alt is xml"},
		{"markup in a parameter", v1 + "instance/id?alt=%3Cb%3E", nil, 400, "&lt;b&gt;"},
	} {
		resp, body := get(t, url+tt.path, tt.headers...)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) || tt.body == "" && body != "" {
			t.Errorf("%s: GET %s = %d %q, want %d with %q", tt.name, tt.path, resp.StatusCode, body, tt.status, tt.body)
		}
		if got := resp.Header.Get("Metadata-Flavor"); got != "Google" {
			t.Errorf("%s: Metadata-Flavor = %q", tt.name, got)
		}
		if got := resp.Header.Get("Server"); got != "Metadata Server for Serverless" {
			t.Errorf("%s: Server = %q", tt.name, got)
		}
		if ct := resp.Header.Get("Content-Type"); tt.status >= 400 && !strings.HasPrefix(ct, "text/html") {
			t.Errorf("%s: Content-Type = %q", tt.name, ct)
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	h := metadata.New(metadata.Config{})
	for method, want := range map[string]int{"POST": 405, "PUT": 405, "DELETE": 405, "HEAD": 200} {
		r := httptest.NewRequest(method, "http://metadata.google.internal"+v1+"instance/id", nil)
		r.Header.Set("Metadata-Flavor", "Google")
		r = r.WithContext(metadata.WithIdentity(r.Context(), func() *metadata.Identity { return &first }))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s = %d, want %d", method, w.Code, want)
		}
		if want == 405 && w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow = %q", method, w.Header().Get("Allow"))
		}
	}
}

// contract: MD-12
func TestDirectoryWithoutSlashRedirectsAndKeepsTheQuery(t *testing.T) {
	t.Parallel()
	url := start(t, first)
	for path, want := range map[string]string{
		v1 + "instance":                 v1 + "instance/",
		"/computeMetadata/v1":           v1,
		v1 + "instance?recursive=true":  v1 + "instance/?recursive=true",
		v1 + "project?alt=json&x=a%20b": v1 + "project/?alt=json&x=a%20b",
		v1 + "instance/service-accounts/runner%40demo.iam.gserviceaccount.com": v1 + "instance/service-accounts/runner%40demo.iam.gserviceaccount.com/",
	} {
		resp, _ := get(t, url+path)
		if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusMovedPermanently || got != want {
			t.Errorf("GET %s = %d to %q, want 301 to %q", path, resp.StatusCode, got, want)
		}
	}
}

// contract: MD-11
func TestRecursiveJSONIsCamelCasedAndHoldsNoCredentials(t *testing.T) {
	t.Parallel()
	account := map[string]any{"aliases": []any{"default"}, "email": first.ServiceAccount, "scopes": []any{metadata.Scope}}
	want := map[string]any{
		"instance": map[string]any{
			"id": first.InstanceID, "region": "projects/123456789012/regions/europe-west9",
			"serviceAccounts": map[string]any{"default": account, first.ServiceAccount: account},
			"zone":            "projects/123456789012/zones/europe-west9-1",
		},
		"project":  map[string]any{"numericProjectId": 123456789012.0, "projectId": "demo"},
		"universe": map[string]any{"universeDomain": "googleapis.com"},
	}
	resp, body := get(t, start(t, first)+v1+"?recursive=true")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("recursive = %s, %v\nwant %v", body, err, want)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type = %q", ct)
	}
}

// contract: MD-19 ATK-19
func TestIdentityIsThatOfTheListener(t *testing.T) {
	t.Parallel()
	h := metadata.New(metadata.Config{Tokens: newSigner(t)})
	urls := []string{
		serve(t, h, func() *metadata.Identity { return &first }),
		serve(t, h, func() *metadata.Identity { return &second }),
	}
	for i, want := range []metadata.Identity{first, second} {
		// Nothing that a client can send changes whom the answer is about.
		_, got := get(t, urls[i]+v1+"instance/service-accounts/default/email",
			"Host", "metadata.google.internal", "Forwarded", "for=10.0.0.9", "X-Real-IP", "10.0.0.9")
		if got != want.ServiceAccount {
			t.Errorf("listener %d answers %q, want %q", i, got, want.ServiceAccount)
		}
		_, token := get(t, urls[i]+v1+"instance/service-accounts/default/identity?audience=x")
		_, other := get(t, urls[1-i]+v1+"instance/service-accounts/default/identity?audience=x")
		if token == other || len(token) < 100 {
			t.Errorf("listener %d hands out %q, the other %q", i, token, other)
		}
	}
}

func TestIdentityIsReadForEachRequest(t *testing.T) {
	t.Parallel()
	var current atomic.Pointer[metadata.Identity]
	url := serve(t, metadata.New(metadata.Config{}), current.Load)
	if resp, _ := get(t, url+v1+"instance/id"); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without an instance = %d, want 503", resp.StatusCode)
	}
	for _, id := range []metadata.Identity{first, second} {
		current.Store(&id)
		if _, got := get(t, url+v1+"instance/id"); got != id.InstanceID {
			t.Errorf("instance/id = %q, want %q", got, id.InstanceID)
		}
	}
	if resp, _ := get(t, url+v1+"instance/service-accounts/default/token"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("token without a token source = %d, want 404", resp.StatusCode)
	}
}

func TestHandlerWithoutIdentityAnswers503(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "http://metadata/", nil)
	r.Header.Set("Metadata-Flavor", "Google")
	w := httptest.NewRecorder()
	metadata.New(metadata.Config{}).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status = %d, want 503", w.Code)
	}
}
