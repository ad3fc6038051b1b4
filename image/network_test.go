package image

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"runnel/image/imagetest"
)

// recorder is a server that notes the credentials it is sent.
type recorder struct {
	*httptest.Server
	mu   sync.Mutex
	auth []string
}

func newRecorder(t *testing.T, answer http.HandlerFunc) *recorder {
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.auth = append(r.auth, req.Header.Get("Authorization")+req.Header.Get("Cookie"))
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) host() string { return strings.TrimPrefix(r.URL, "http://") }

// credentials writes a docker config.json for a registry.
func credentials(t *testing.T, host string) {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("user:secret"))
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, host, auth), 0o600))
	t.Setenv("DOCKER_CONFIG", dir)
}

// contract: REG-4
func TestPullAuthorizes(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	imagetest.Push(t, sample(), server.Host+"/private")
	tokens := newRecorder(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "user" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, `{"token":"good"}`)
	})
	for scheme, want := range map[string]string{
		"basic":  "Basic " + base64.StdEncoding.EncodeToString([]byte("user:secret")),
		"bearer": "Bearer good",
	} {
		server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Header.Get("Authorization") == want {
				next.ServeHTTP(w, r)
				return
			}
			challenge := `Basic realm="x"`
			if scheme == "bearer" {
				challenge = fmt.Sprintf(`Bearer realm="http://localhost:%s/token",service="s"`, tokens.host()[strings.LastIndex(tokens.host(), ":")+1:])
			}
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		})
		t.Run(scheme, func(t *testing.T) {
			trusted := func(c *StoreConfig) {
				c.TrustedHosts = []string{strings.Replace(tokens.host(), "127.0.0.1", "localhost", 1)}
			}
			t.Setenv("DOCKER_CONFIG", t.TempDir())
			refused(t, newStore(t, trusted), server.Host+"/private", ErrUnauthorized)
			credentials(t, server.Host)
			mustPull(t, newStore(t, trusted), server.Host+"/private")
		})
	}
}

// contract: REG-3, REG-4, ATK-15, ATK-16
// Whatever a registry answers, its credentials go to it alone, and it cannot
// send us to an address on this machine or its networks.
func TestCredentialsAndRequestsStayWithTheRegistry(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	a := imagetest.Push(t, sample(), server.Host+"/leak")
	evil := newRecorder(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	named := strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)
	good := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:secret"))
	redirect := func(part, to string, code int) imagetest.Intercept {
		return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Header.Get("Authorization") != good {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if strings.Contains(r.URL.Path, part) {
				http.Redirect(w, r, to, code)
				return
			}
			next.ServeHTTP(w, r)
		}
	}
	realm := func(challenge string) imagetest.Intercept {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	credentials(t, server.Host)
	layer := a.Manifest.Layers[0].Digest
	for name, f := range map[string]imagetest.Intercept{
		"blob 302":       redirect(layer, evil.URL+"/x", http.StatusFound),
		"blob 307":       redirect(layer, evil.URL+"/x", http.StatusTemporaryRedirect),
		"blob by name":   redirect(layer, named+"/x", http.StatusFound),
		"manifest":       redirect("/manifests/", named+"/x", http.StatusMovedPermanently),
		"ping":           redirect("/v2/", named+"/x", http.StatusFound),
		"metadata":       redirect(layer, "http://169.254.169.254/latest", http.StatusFound),
		"other scheme":   redirect(layer, "file:///etc/passwd", http.StatusFound),
		"realm":          realm(fmt.Sprintf("Bearer realm=%q", evil.URL+"/token")),
		"realm by name":  realm(fmt.Sprintf("Bearer realm=%q", named+"/token")),
		"realm metadata": realm(`Bearer realm="http://169.254.169.254/token"`),
	} {
		t.Run(name, func(t *testing.T) {
			server.Intercept(f)
			s := newStore(t)
			if img, err := s.Pull(deadline(t), server.Host+"/leak", PullOptions{}); err == nil {
				t.Errorf("pulled %+v", img)
			} else if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error holds the password: %v", err)
			}
			wantEmptyStore(t, s)
		})
	}
	// Where the host may be contacted, it still gets no credentials.
	server.Intercept(redirect(layer, named+"/x", http.StatusFound))
	s := newStore(t, func(c *StoreConfig) { c.TrustedHosts = []string{strings.TrimPrefix(named, "http://")} })
	refused(t, s, server.Host+"/leak", ErrNotFound)
	evil.mu.Lock()
	defer evil.mu.Unlock()
	if len(evil.auth) != 1 || evil.auth[0] != "" {
		t.Errorf("another host was asked %d times, with credentials %q", len(evil.auth), evil.auth)
	}
}

// contract: ATK-15
// The urls of foreign layers are not followed.
func TestForeignLayersComeFromTheRegistry(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	evil := newRecorder(t, func(http.ResponseWriter, *http.Request) {})
	a, err := sample().Write(t.TempDir())
	must(t, err)
	a.Manifest.Layers[0].MediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
	a.Manifest.Layers[0].URLs = []string{evil.URL + "/layer"}
	must(t, a.Seal(imagetest.Platform{}))
	must(t, a.Push(t.Context(), server.Host+"/foreign"))
	mustPull(t, newStore(t), server.Host+"/foreign")
	if len(evil.auth) != 0 {
		t.Error("the layer's url was followed")
	}
}

// contract: ATK-15, ATK-16
func TestNetworkPolicy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		registry, url, want string
	}{
		{"registry.example", "http://registry.example/v2/", "https"},
		{"registry.example", "https://cdn.example/x", "https"},
		{"registry.example", "http://cdn.example/x", ""},
		{"10.0.0.1:5000", "http://10.0.0.1:5000/v2/", "https"},
		{"registry.example", "http://127.0.0.1:1/v2/", ""},
		{"localhost:1", "http://registry.example/", ""},
		{"localhost:1", "https://localhost:1/v2/", "http"},
		{"127.9.9.9", "https://127.9.9.9/v2/", "http"},
		{"registry.example", "ftp://registry.example/", ""},
	} {
		req, err := http.NewRequest(http.MethodGet, c.url, nil)
		must(t, err)
		got, err := newNetwork(c.registry, nil).inScheme(req)
		if c.want == "" && !isOneOf(err, ErrRefusedHost) || c.want != "" && (err != nil || got.URL.Scheme != c.want) {
			t.Errorf("%s asks for %s: %v, %v", c.registry, c.url, got, err)
		}
	}
	for ip, ok := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1111]:443": true,
		"127.0.0.1:443": false, "[::1]:443": false, "169.254.169.254:80": false, "[fe80::1%eth0]:443": false,
		"10.1.2.3:443": false, "172.16.0.1:443": false, "192.168.1.1:443": false, "100.64.0.1:443": false,
		"[fd00:ec2::254]:80": false, "[::ffff:10.0.0.1]:443": false, "0.0.0.0:443": false, "224.0.0.1:443": false,
		"[64:ff9b::a9fe:a9fe]:80": false, "[2002:a9fe:a9fe::]:80": false,
	} {
		if err := checkPublic("h:443", ip); (err == nil) != ok {
			t.Errorf("%s: %v", ip, err)
		}
	}
}
