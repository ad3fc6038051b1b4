package image

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"runnel/image/imagetest"
)

// blobFault answers requests for one blob.
func blobFault(digest string, f func(w http.ResponseWriter, r *http.Request, blob []byte)) imagetest.Intercept {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !strings.HasSuffix(r.URL.Path, digest) {
			next.ServeHTTP(w, r)
			return
		}
		rec, plain := httptest.NewRecorder(), r.Clone(r.Context())
		plain.Header.Del("Range")
		next.ServeHTTP(rec, plain)
		f(w, r, rec.Body.Bytes())
	}
}

// big is an image whose one layer does not fit any buffer.
func big() imagetest.Build {
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 8)
	}
	return imagetest.Build{
		Compression: imagetest.None,
		Layers:      []imagetest.Layer{entriesLayer(imagetest.File("noise", string(noise), 0o644))},
	}
}

// Content that is not what its digest, size or diff ID says is refused, leaves
// nothing, and does not keep the right content from being pulled.
func TestPullVerifiesContent(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	ref := server.Host + "/v"
	a := imagetest.Push(t, big(), ref)
	layer, config := a.Manifest.Layers[0].Digest, a.Manifest.Config.Digest
	whole := func(w http.ResponseWriter, b []byte) { _, _ = w.Write(b) }
	s := newStore(t)
	for name, c := range map[string]struct {
		fault imagetest.Intercept
		want  error
	}{
		"truncated": {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) { whole(w, b[:len(b)-1000]) }), ErrDigest},
		"truncated without length": {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) {
			w.(http.Flusher).Flush()
			whole(w, b[:len(b)-1000])
		}), ErrDigest},
		"longer": {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) { whole(w, append(b, 0)) }), ErrDigest},
		"longer without length": {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) {
			w.(http.Flusher).Flush()
			whole(w, append(b, make([]byte, 1<<20)...))
		}), ErrDigest},
		"first byte":    {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) { b[0] ^= 1; whole(w, b) }), ErrDigest},
		"last byte":     {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, b []byte) { b[len(b)-1] ^= 1; whole(w, b) }), ErrDigest},
		"configuration": {blobFault(config, func(w http.ResponseWriter, _ *http.Request, b []byte) { b[5] ^= 1; whole(w, b) }), ErrDigest},
		"no blob":       {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusNotFound) }), ErrNotFound},
		"forbidden":     {blobFault(layer, func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(http.StatusForbidden) }), ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			server.Intercept(c.fault)
			refused(t, s, ref, c.want)
		})
	}
	server.Intercept(nil)
	mustPull(t, s, ref)
}

func TestPullMutatedEverywhere(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	s := newStore(t)
	for _, compression := range []imagetest.Compression{imagetest.Gzip, imagetest.Zstd, imagetest.None} {
		b := big()
		b.Compression = compression
		ref := fmt.Sprintf("%s/m%d", server.Host, compression)
		layer := imagetest.Push(t, b, ref).Manifest.Layers[0]
		for at := int64(0); at < layer.Size; at += 64 << 10 {
			server.Intercept(blobFault(layer.Digest, func(w http.ResponseWriter, _ *http.Request, b []byte) {
				b[at] ^= 0x80
				_, _ = w.Write(b)
			}))
			refused(t, s, ref, ErrDigest)
		}
		server.Intercept(nil)
	}
}

// A connection that breaks is taken up where it broke.
func TestPullResumes(t *testing.T) {
	privileged(t)
	for _, ranges := range []bool{true, false} {
		t.Run(fmt.Sprint("ranges=", ranges), func(t *testing.T) {
			server := imagetest.Serve(t)
			ref := server.Host + "/r"
			a := imagetest.Push(t, big(), ref)
			var mu sync.Mutex
			breaks, offsets := 0, []int64{}
			server.Intercept(blobFault(a.Manifest.Layers[0].Digest, func(w http.ResponseWriter, r *http.Request, b []byte) {
				mu.Lock()
				defer mu.Unlock()
				at, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"), 10, 64)
				offsets = append(offsets, at)
				if !ranges {
					at = 0
				}
				w.Header().Set("Content-Length", strconv.Itoa(len(b)-int(at)))
				if at > 0 {
					w.WriteHeader(http.StatusPartialContent)
				}
				if breaks++; breaks <= 2 {
					_, _ = w.Write(b[at : 1<<20*breaks])
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}
				_, _ = w.Write(b[at:])
			}))
			mustPull(t, newStore(t), ref)
			if len(offsets) != 3 || offsets[1] == 0 || offsets[2] <= offsets[1] {
				t.Errorf("asked from %v", offsets)
			}
		})
	}
}

func TestPullRefusesBadManifests(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	dir := t.TempDir()
	good, err := sample().Write(dir)
	must(t, err)
	must(t, good.Push(t.Context(), server.Host+"/m:good"))
	const oci, index = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
	change := func(f func(m *imagetest.Manifest)) string {
		m := good.Manifest
		config := *m.Config
		m.Config, m.Layers = &config, append([]imagetest.Descriptor{}, m.Layers...)
		f(&m)
		raw, err := json.Marshal(m)
		must(t, err)
		return string(raw)
	}
	for name, c := range map[string]struct {
		raw, mediaType string
		want           error
	}{
		"not JSON":              {"<html>", oci, ErrInvalidManifest},
		"empty":                 {"{}", oci, ErrInvalidManifest},
		"list":                  {"[]", oci, ErrInvalidManifest},
		"too large":             {`{"layers":[],"pad":"` + strings.Repeat("x", maxManifestBytes) + `"}`, oci, ErrTooLarge},
		"image and index":       {change(func(m *imagetest.Manifest) { m.Manifests = m.Layers }), oci, ErrInvalidManifest},
		"image called index":    {change(func(*imagetest.Manifest) {}), index, ErrInvalidManifest},
		"says it is an index":   {change(func(m *imagetest.Manifest) { m.MediaType = index }), oci, ErrInvalidManifest},
		"unknown kind":          {change(func(m *imagetest.Manifest) { m.MediaType = "application/x" }), oci, ErrInvalidManifest},
		"digest with a path":    {change(func(m *imagetest.Manifest) { m.Layers[0].Digest = "sha256:../../../../etc/passwd" }), oci, ErrInvalidManifest},
		"config digest":         {change(func(m *imagetest.Manifest) { m.Config.Digest = "sha256:../x" }), oci, ErrInvalidManifest},
		"negative size":         {change(func(m *imagetest.Manifest) { m.Layers[0].Size = -1 }), oci, ErrInvalidManifest},
		"size too small":        {change(func(m *imagetest.Manifest) { m.Layers[0].Size-- }), oci, ErrDigest},
		"size too large":        {change(func(m *imagetest.Manifest) { m.Layers[0].Size++ }), oci, ErrDigest},
		"config size too small": {change(func(m *imagetest.Manifest) { m.Config.Size-- }), oci, ErrDigest},
		"config too large":      {change(func(m *imagetest.Manifest) { m.Config.Size = 1 << 40 }), oci, ErrTooLarge},
		"a layer too few":       {change(func(m *imagetest.Manifest) { m.Layers = m.Layers[:1] }), oci, ErrInvalidManifest},
		"encrypted layer":       {change(func(m *imagetest.Manifest) { m.Layers[0].MediaType += "+encrypted" }), oci, ErrInvalidManifest},
		"not a container image": {change(func(m *imagetest.Manifest) { m.Config.MediaType = "application/vnd.cncf.helm.config.v1+json" }), oci, ErrInvalidManifest},
		"layers swapped":        {change(func(m *imagetest.Manifest) { m.Layers[0], m.Layers[1] = m.Layers[1], m.Layers[0] }), oci, ErrDigest},
		"schema 1 without history": {`{"schemaVersion":1,"fsLayers":[{"blobSum":"x"}]}`,
			"application/vnd.docker.distribution.manifest.v1+json", ErrInvalidManifest},
	} {
		t.Run(name, func(t *testing.T) {
			server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if !strings.Contains(r.URL.Path, "/manifests/") {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", c.mediaType)
				_, _ = w.Write([]byte(c.raw))
			})
			refused(t, newStore(t), server.Host+"/m:x", c.want)
		})
	}
	server.Intercept(nil)
	refused(t, newStore(t), server.Host+"/m:absent", ErrNotFound)
	refused(t, newStore(t), server.Host+"/absent", ErrNotFound)
	server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			r.URL.Path = "/v2/m/manifests/good"
		}
		next.ServeHTTP(w, r)
	})
	refused(t, newStore(t), server.Host+"/m@sha256:"+strings.Repeat("0", 64), ErrDigest)
}

// An index that contains itself cannot exist; a chain of them can.
func TestPullBoundsNestedIndexes(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	dir := t.TempDir()
	a, err := sample().Write(dir)
	must(t, err)
	must(t, a.Push(t.Context(), host+"/deep:0"))
	for i := range maxIndexDepth + 1 {
		a, err = imagetest.Index(imagetest.OCI, a)
		must(t, err)
		must(t, a.Push(t.Context(), fmt.Sprintf("%s/deep:%d", host, i+1)))
	}
	mustPull(t, newStore(t), fmt.Sprintf("%s/deep:%d", host, maxIndexDepth))
	refused(t, newStore(t), fmt.Sprintf("%s/deep:%d", host, maxIndexDepth+1), ErrTooLarge)
}

func TestPullUnreachable(t *testing.T) {
	privileged(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	host := l.Addr().String()
	must(t, l.Close())
	refused(t, newStore(t), host+"/x", ErrUnreachable, "connection refused", host)
}

func TestPullRetriesWhatMayPass(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	imagetest.Push(t, sample(), server.Host+"/x")
	var mu sync.Mutex
	seen := map[string]int{}
	server.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		seen[r.URL.Path]++
		first := seen[r.URL.Path] == 1
		mu.Unlock()
		if first {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	mustPull(t, newStore(t), server.Host+"/x")
	server.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
	refused(t, newStore(t), server.Host+"/x", ErrUnreachable, "502")
}

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

func TestSniffCompression(t *testing.T) {
	t.Parallel()
	for c, want := range map[imagetest.Compression]compression{
		imagetest.Gzip: compressionGzip, imagetest.Zstd: compressionZstd, imagetest.None: compressionNone,
	} {
		b, err := c.Compress(bytes.Repeat([]byte("x"), 600))
		must(t, err)
		if got := sniffCompression(b); got != want {
			t.Errorf("%v: %v", c, got)
		}
	}
}
