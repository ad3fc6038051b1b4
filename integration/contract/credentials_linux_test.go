package contract

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// basic is what a registry gets from who has the credentials for it.
var basic = "Basic " + base64.StdEncoding.EncodeToString([]byte("user:secret"))

// private is a registry that asks for credentials, and an image in it.
type private struct {
	*imagetest.Server
	t     *testing.T
	d     *rig.Daemon
	ref   string
	image *imagetest.Artifact
	// config is a directory with the credentials.
	config string
}

func newPrivate(t *testing.T, d *rig.Daemon) *private {
	t.Helper()
	p := &private{Server: imagetest.Serve(t), t: t, d: d, config: t.TempDir()}
	p.ref = p.Host + "/team/app:1"
	p.image = imagetest.Push(t, imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Compression: imagetest.None, Config: rig.ShellConfig(),
	}, p.ref)
	text := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, p.Host, strings.TrimPrefix(basic, "Basic "))
	if err := os.WriteFile(filepath.Join(p.config, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *private) layer() string { return p.image.Manifest.Layers[0].Digest }

// wants answers only requests with an authorization, others with a challenge,
// and leads what is called by end elsewhere, if that is named.
func (p *private) wants(authorization, challenge, end, elsewhere string) {
	p.Intercept(func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		switch {
		case r.Header.Get("Authorization") != authorization:
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		case elsewhere != "" && strings.HasSuffix(r.URL.Path, end):
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		default:
			registry.ServeHTTP(w, r)
		}
	})
}

// run runs the image with the credentials at hand, trusting some hosts.
func (p *private) run(trusted ...string) rig.Result {
	p.t.Helper()
	withConfig := func(c *exec.Cmd) { c.Env = append(c.Env, "DOCKER_CONFIG="+p.config) }
	args := []string{"run", "--image", p.ref, "--args", "echo it runs", "--cpu", "0.1", "--memory", "128Mi", "--trusted-hosts", strings.Join(trusted, ",")}
	r := p.d.Host.StartWith(withConfig, args...).Wait()
	if strings.Contains(r.Stdout+r.Stderr, "secret") {
		p.t.Errorf("the password is printed\n%s", r)
	}
	return r
}

// listener is another host, which notes what it is sent to prove who asks.
type listener struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // guarded by mu
}

func listen(t *testing.T, answer http.HandlerFunc) *listener {
	l := new(listener)
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.seen = append(l.seen, r.Header.Get("Authorization")+r.Header.Get("Cookie"))
		l.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

// host is the host's "host:port", by another name than the registry's.
func (l *listener) host() string {
	return strings.Replace(strings.TrimPrefix(l.URL, "http://"), "127.0.0.1", "localhost", 1)
}

// heard fails the test unless the host was asked n times, always with credentials.
func (l *listener) heard(t *testing.T, what string, n int, credentials string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.seen) != n {
		t.Errorf("%s: the other host was asked %d times, want %d", what, len(l.seen), n)
	}
	for _, got := range l.seen {
		if got != credentials {
			t.Errorf("%s: the other host got %q, want %q", what, got, credentials)
		}
	}
	l.seen = nil
}

func notFound(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }

// contract: REG-3
func TestREG3BlobsMayLieElsewhereAndAreFetchedWithoutCredentials(t *testing.T) {
	p := newPrivate(t, daemon(t))
	blob, err := os.ReadFile(filepath.Join(p.image.Dir, "blobs", "sha256", strings.TrimPrefix(p.layer(), "sha256:")))
	if err != nil {
		t.Fatal(err)
	}
	storage := listen(t, func(w http.ResponseWriter, _ *http.Request) { send(w, blob) })
	p.wants(basic, `Basic realm="here"`, p.layer(), "http://"+storage.host()+"/blob")
	p.run(storage.host()).Exits(0).Shows("it runs")
	storage.heard(t, "storage", 1, "")
}

// contract: REG-4
func TestREG4ATokenMayComeFromElsewhere(t *testing.T) {
	p := newPrivate(t, daemon(t))
	evil := listen(t, notFound)
	var lead atomic.Bool
	tokens := listen(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case lead.Load():
			http.Redirect(w, r, "http://"+evil.host()+"/token", http.StatusFound)
		case r.Header.Get("Authorization") == basic:
			send(w, []byte(`{"token":"of-the-test"}`))
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	p.wants("Bearer of-the-test", fmt.Sprintf(`Bearer realm="http://%s/token",service="here"`, tokens.host()), "", "")
	p.run(tokens.host()).Exits(0).Shows("it runs")
	tokens.heard(t, "the realm", 1, basic)
	lead.Store(true)
	if r := p.run(tokens.host(), evil.host()); r.Code != 1 {
		t.Errorf("a realm that leads elsewhere: exit %d\n%s", r.Code, r)
	}
	evil.heard(t, "where the realm leads", 1, "")
}

// contract: ATK-15
func TestATK15CredentialsStayWithTheRegistry(t *testing.T) {
	p := newPrivate(t, daemon(t))
	evil := listen(t, notFound)
	to := "http://" + evil.host() + "/x"
	for what, end := range map[string]string{"layer": p.layer(), "manifest": "/manifests/1"} {
		p.wants(basic, `Basic realm="here"`, end, to)
		if r := p.run(evil.host()); r.Code != 1 {
			t.Errorf("%s: exit %d, want 1\n%s", what, r.Code, r)
		}
		evil.heard(t, what, 1, "")
	}
	// Nor do they go to where a challenge, or the urls of a layer, point without
	// being trusted.
	p.wants("nobody has it", fmt.Sprintf("Bearer realm=%q", evil.URL+"/token"), "", "")
	p.run().Exits(1)
	p.foreign(evil.URL + "/layer")
	p.wants(basic, `Basic realm="here"`, "", "")
	p.run(evil.host()).Exits(0).Shows("it runs")
	evil.heard(t, "a realm that is not trusted, and urls", 0, "")
}

// foreign makes the image's layer one whose manifest says where else it lies.
func (p *private) foreign(url string) {
	p.t.Helper()
	p.Intercept(nil)
	a := p.image
	a.Manifest.Layers[0].URLs = []string{url}
	a.Manifest.Layers[0].MediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar"
	if err := a.Seal(imagetest.Platform{}); err != nil {
		p.t.Fatal(err)
	}
	if err := a.Push(p.t.Context(), p.ref); err != nil {
		p.t.Fatal(err)
	}
}

// contract: ATK-16
func TestATK16ARegistryLeadsToNoAddressOfTheHosts(t *testing.T) {
	d := daemon(t)
	o, inside := newOddRegistry(t, d), listen(t, notFound)
	for _, to := range []string{
		inside.URL + "/x", "http://" + inside.host() + "/x", "https://" + inside.host() + "/x",
		"http://169.254.169.254/computeMetadata/v1/", "http://10.0.0.1/x", "file:///etc/passwd",
	} {
		o.answers(o.layer(), func(w http.ResponseWriter, r *http.Request, _ []byte) {
			http.Redirect(w, r, to, http.StatusFound)
		})
		o.refused("a layer at "+to, o.ref, "refused to follow the registry")
	}
	o.answers("", func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", "http://"+inside.host()+"/token"))
		w.WriteHeader(http.StatusUnauthorized)
	})
	o.refused("tokens of the host", o.ref, "refused to follow the registry")
	inside.heard(t, "a service of the host", 0, "")
}
