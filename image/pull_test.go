package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"runnel/image/imagetest"
)

// sample is an image of two layers with something of everything in it.
func sample() imagetest.Build {
	return imagetest.Build{
		Layers: []imagetest.Layer{
			entriesLayer(
				imagetest.Dir("bin/", 0o755), imagetest.File("bin/hello", "#!/bin/sh\n", 0o4755),
				imagetest.Symlink("bin/hi", "hello"), imagetest.Link("bin/hallo", "bin/hello"),
				imagetest.File("bytes", "\xff\xfe\x00", 0o600),
			),
			entriesLayer(imagetest.File(".wh.bytes", "", 0), imagetest.Dir("tmp/", 0o1777)),
		},
		Config: imagetest.Config{
			Entrypoint: []string{"/bin/hello"}, Cmd: []string{"$(HOME)"}, Env: []string{"A=b"},
			User: "app", WorkingDir: "/tmp",
		},
	}
}

// contract: IMG-3, IMG-4, IMG-14
func TestPullUnpacksEveryFormat(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	for _, c := range []imagetest.Compression{imagetest.Gzip, imagetest.Zstd, imagetest.None} {
		for _, m := range []imagetest.MediaTypes{imagetest.OCI, imagetest.Docker} {
			t.Run(fmt.Sprint(c, m), func(t *testing.T) {
				b := sample()
				b.Compression, b.MediaTypes = c, m
				ref := fmt.Sprintf("%s/sample:%d-%d", host, c, m)
				a := imagetest.Push(t, b, ref)
				checkSample(t, newStore(t), ref, a.Descriptor.Digest)
			})
		}
	}
}

func checkSample(t *testing.T, s *Store, ref, digest string) {
	t.Helper()
	img := mustPull(t, s, ref)
	want := Config{
		Entrypoint: []string{"/bin/hello"}, Cmd: []string{"$(HOME)"}, Env: []string{"A=b"},
		User: "app", WorkingDir: "/tmp",
	}
	if img.Reference != ref || digest != "" && img.Digest != digest || !reflect.DeepEqual(img.Config, want) {
		t.Errorf("got %+v", img)
	}
	if len(img.Layers) != 2 {
		t.Fatalf("%d layers", len(img.Layers))
	}
	if got := names(tree(t, img.Layers[1])); !slices.Equal(got, []string{"bin", "bin/hallo", "bin/hello", "bin/hi", "bytes"}) {
		t.Errorf("bottom layer: %v", got)
	}
	top := tree(t, img.Layers[0])
	if !strings.HasPrefix(top["bytes"], "Dc---------") || !strings.HasSuffix(top["bytes"], "dev=0") {
		t.Errorf("whiteout: %q", top["bytes"])
	}
	if !strings.HasPrefix(top["tmp"], "dtrwxrwxrwx 0:0") {
		t.Errorf("tmp: %q", top["tmp"])
	}
	again, err := s.Image(img.Digest)
	if err != nil || !slices.Equal(again.Layers, img.Layers) || again.Reference != img.Digest {
		t.Errorf("stored: %+v, %v", again, err)
	}
}

func TestPullLocalSources(t *testing.T) {
	privileged(t)
	dir := t.TempDir()
	b := sample()
	layout, err := b.WriteOCI(filepath.Join(dir, "layout"), "v1")
	must(t, err)
	archived, err := b.WriteOCIArchive(filepath.Join(dir, "oci.tar"), "v1")
	must(t, err)
	_, err = b.WriteDockerArchive(filepath.Join(dir, "docker-gzip.tar"), "sample:v1")
	must(t, err)
	b.Compression = imagetest.None
	plain, err := b.WriteDockerArchive(filepath.Join(dir, "docker.tar"), "sample:v1")
	must(t, err)
	for _, c := range []struct{ ref, digest string }{
		{"oci:" + dir + "/layout", layout.Descriptor.Digest},
		{"oci:" + dir + "/layout:v1", layout.Descriptor.Digest},
		{"oci-archive:" + dir + "/oci.tar:v1", archived.Descriptor.Digest},
		{"docker-archive:" + dir + "/docker.tar", plain.Descriptor.Digest},
		{"docker-archive:" + dir + "/docker-gzip.tar:sample:v1", ""},
		{"docker-archive:" + dir + "/docker.tar:v1", plain.Descriptor.Digest},
	} {
		t.Run(strings.TrimPrefix(c.ref, dir), func(t *testing.T) { checkSample(t, newStore(t), c.ref, c.digest) })
	}
	for ref, want := range map[string]error{
		"oci:" + dir + "/layout:v2":                   ErrNotFound,
		"oci:" + dir + "/nowhere":                     ErrNotFound,
		"oci-archive:" + dir + "/nowhere":             ErrNotFound,
		"oci-archive:" + dir:                          ErrInvalidManifest,
		"docker-archive:" + dir + "/oci.tar":          ErrNotFound,
		"docker-archive:" + dir + "/docker.tar:other": ErrNotFound,
	} {
		refused(t, newStore(t), ref, want)
	}
}

// refused expects a pull to fail with want, in one line that names the
// reference, and to leave nothing.
func refused(t *testing.T, s *Store, ref string, want error, mention ...string) {
	t.Helper()
	img, err := s.Pull(deadline(t), ref, PullOptions{})
	if !errors.Is(err, want) {
		t.Errorf("pull %s: %+v, %v; want %v", ref, img, err, want)
		return
	}
	for _, m := range append(mention, ref) {
		if !strings.Contains(err.Error(), m) {
			t.Errorf("%q does not mention %q", err, m)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	wantEmptyStore(t, s)
}

// contract: IMG-1, IMG-2
func TestPullChoosesPlatform(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	dir := t.TempDir()
	child := func(os, arch, variant string) *imagetest.Artifact {
		a, err := imagetest.Build{
			Platform: imagetest.Platform{OS: os, Architecture: arch, Variant: variant},
			Layers:   []imagetest.Layer{entriesLayer(imagetest.File(os+arch+variant, "", 0o644))},
		}.Write(dir)
		must(t, err)
		must(t, a.Push(t.Context(), host+"/multi:"+os+arch+variant))
		return a
	}
	arm, v3, amd := child("linux", "arm64", ""), child("linux", "amd64", "v3"), child("linux", "amd64", "")
	windows := child("windows", "amd64", "")
	push := func(tag string, m imagetest.MediaTypes, children ...*imagetest.Artifact) {
		index, err := imagetest.Index(m, children...)
		must(t, err)
		must(t, index.Push(t.Context(), host+"/multi:"+tag))
	}
	bare := *amd
	bare.Descriptor.Platform = nil
	inner, err := imagetest.Index(imagetest.OCI, windows, &bare)
	must(t, err)
	must(t, inner.Push(t.Context(), host+"/multi:inner"))
	push("all", imagetest.OCI, arm, v3, amd)
	push("list", imagetest.Docker, windows, v3, amd)
	push("nested", imagetest.OCI, arm, inner)
	push("none", imagetest.OCI, arm, windows)
	s := newStore(t)
	for _, tag := range []string{"all", "list", "nested"} {
		if img := mustPull(t, s, host+"/multi:"+tag); img.Digest != amd.Descriptor.Digest {
			t.Errorf("%s: chose %s", tag, img.Digest)
		}
	}
	refused(t, newStore(t), host+"/multi:none", ErrPlatform, "linux/arm64", "windows/amd64")
	refused(t, newStore(t), host+"/multi:linuxarm64", ErrPlatform, "linux/arm64")
	refused(t, newStore(t), host+"/multi@"+windows.Descriptor.Digest, ErrPlatform, "windows/amd64")
}

// contract: IMG-3
func TestPullSchema1(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	bottom := entriesLayer(imagetest.File("a", "1", 0o644))
	top := entriesLayer(imagetest.File("b", "2", 0o644))
	digest, err := imagetest.PushSchema1(t.Context(), host+"/old:v1", []imagetest.Schema1Step{
		{Layer: &bottom, V1: `{"os":"linux","config":{"Cmd":["old"]}}`},
		{V1: `{"throwaway":true,"config":{"Cmd":["older"]}}`},
		{Layer: &top, V1: `{"os":"linux","architecture":"amd64","config":{"Cmd":"/bin/b","User":"1"}}`},
	})
	must(t, err)
	s := newStore(t)
	for _, ref := range []string{host + "/old:v1", host + "/old:v1"} {
		img := mustPull(t, s, ref)
		if img.Digest != digest || len(img.Layers) != 2 || img.Config.User != "1" || !slices.Equal(img.Config.Cmd, []string{"/bin/b"}) {
			t.Errorf("got %+v, want digest %s", img, digest)
		}
		if got := names(tree(t, img.Layers[0])); !slices.Equal(got, []string{"b"}) {
			t.Errorf("topmost layer: %v", got)
		}
	}
	_, err = imagetest.PushSchema1(t.Context(), host+"/old:arm", []imagetest.Schema1Step{{Layer: &top, V1: `{"architecture":"arm"}`}})
	must(t, err)
	refused(t, newStore(t), host+"/old:arm", ErrPlatform, "arm")
}

// contract: IMG-10
func TestPullByTagAndDigest(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	s := newStore(t)
	first := imagetest.Push(t, sample(), host+"/s:v1").Descriptor.Digest
	changed := sample()
	changed.Config.User = "other"
	second := imagetest.Push(t, changed, host+"/s:v1").Descriptor.Digest
	if img := mustPull(t, s, host+"/s@"+first); img.Digest != first {
		t.Errorf("by digest: %s", img.Digest)
	}
	if img := mustPull(t, s, host+"/s:v1"); img.Digest != second {
		t.Errorf("by tag: %s", img.Digest)
	}
}

// contract: IMG-5
func TestConcurrentPullsFetchOnceAndShare(t *testing.T) {
	privileged(t)
	server := imagetest.Serve(t)
	common := entriesLayer(imagetest.File("common", strings.Repeat("x", 1<<20), 0o644))
	for _, name := range []string{"a", "b"} {
		imagetest.Push(t, imagetest.Build{
			Layers: []imagetest.Layer{common, entriesLayer(imagetest.File(name, name, 0o644)), common},
		}, server.Host+"/same/"+name)
	}
	before := server.Requests()
	s := newStore(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			img, err := s.Pull(t.Context(), server.Host+"/same/"+string("ab"[i%2]), PullOptions{})
			if err != nil || len(img.Layers) != 2 {
				t.Errorf("%+v, %v", img, err)
			}
		})
	}
	wg.Wait()
	commonGets := 0
	for request, n := range server.Requests() {
		n -= before[request]
		if strings.HasPrefix(request, "GET") && strings.Contains(request, "/blobs/") && n > 0 {
			commonGets += n
		}
	}
	// Three layers once each; the two configurations once per pull at most.
	if commonGets > 3+16 {
		t.Errorf("%d blobs fetched", commonGets)
	}
	if entries, err := os.ReadDir(s.layersDir()); err != nil || len(entries) != 3 {
		t.Errorf("%d layers stored, %v", len(entries), err)
	}
	before = server.Requests()
	mustPull(t, s, server.Host+"/same/a")
	trips := 0
	for request, n := range server.Requests() {
		trips += n - before[request]
	}
	if trips > 2 {
		t.Errorf("an unchanged image took %d round trips", trips)
	}
}

func TestPullReportsProgress(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	a := imagetest.Push(t, sample(), host+"/p")
	s := newStore(t)
	for _, want := range []State{Unpacked, Shared} {
		var mu sync.Mutex
		last := map[string]Progress{}
		_, err := s.Pull(deadline(t), host+"/p", PullOptions{Progress: func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			if p.State < last[p.Layer].State {
				t.Errorf("%v after %v", p, last[p.Layer])
			}
			last[p.Layer] = p
		}})
		must(t, err)
		for _, l := range a.Manifest.Layers {
			if p := last[l.Digest]; p.State != want || p.Total != l.Size || p.Current != l.Size {
				t.Errorf("%s: %+v, want %v of %d bytes", l.Digest, p, want, l.Size)
			}
		}
	}
}

func TestPullRefusesBadNames(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, ref := range []string{"", "UPPER", "a b", "https://x/y", "oci:", "x@sha256:../../etc", "x:", "x@md5:00"} {
		if _, err := s.Pull(t.Context(), ref, PullOptions{}); !errors.Is(err, ErrReference) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

// contract: IMG-8
func TestNamesMustBeUTF8(t *testing.T) {
	privileged(t)
	host := imagetest.Registry(t)
	bad := imagetest.Entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: "dir/\xff.txt", Mode: 0o644, Format: tar.FormatGNU}}
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{entriesLayer(bad)}}, host+"/bad")
	refused(t, newStore(t), host+"/bad", ErrInvalidLayer, `"dir/\xff.txt"`, "UTF-8")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
