package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
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

// contract: REG-1, ATK-14
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

// contract: ATK-14
func TestPullMutatedEverywhere(t *testing.T) {
	notInVM(t)
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

// contract: REG-2, REG-7
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

// contract: REG-9, ATK-13, ATK-14
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

// contract: REG-9, ATK-13
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

// contract: REG-6
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
