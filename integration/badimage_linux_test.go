package integration

import (
	"archive/tar"
	"debug/elf"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// contract: IMG-1 IMG-2 IMG-8 IMG-14
// What makes an image impossible to run: exit 1 and a line that says which.
func TestBadImage(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	busybox := imagetest.MustBusybox(t)
	with := func(config imagetest.Config, entries ...imagetest.Entry) imagetest.Build {
		return imagetest.Build{Layers: []imagetest.Layer{busybox, {Entries: entries}}, Config: config}
	}
	arm := func(b imagetest.Build) imagetest.Build {
		b.Platform = imagetest.Platform{OS: "linux", Architecture: "arm64"}
		return b
	}
	for name, c := range map[string]struct {
		image imagetest.Build
		words []string
	}{
		"no entrypoint":       {with(imagetest.Config{}), []string{"no entrypoint"}},
		"entrypoint missing":  {with(imagetest.Config{Entrypoint: []string{"/nosuch"}}), []string{"/nosuch"}},
		"not in PATH":         {with(imagetest.Config{Entrypoint: []string{"nosuch"}}), []string{"nosuch"}},
		"interpreter missing": {with(imagetest.Config{Entrypoint: []string{"/s"}}, imagetest.File("s", "#!/nosuch/sh\n", 0o755)), []string{"/s"}},
		"not executable":      {with(imagetest.Config{Entrypoint: []string{"/s"}}, imagetest.File("s", "#!/bin/sh\n", 0o644)), []string{"/s"}},
		"no program":          {with(imagetest.Config{Entrypoint: []string{"/s"}}, imagetest.File("s", "just text", 0o755)), []string{"/s"}},
		"a directory":         {with(imagetest.Config{Entrypoint: []string{"/bin"}}), []string{"/bin"}},
		"other architecture":  {arm(with(rig.ShellConfig())), []string{"linux/amd64", "arm64"}},
		"program for another architecture": {with(imagetest.Config{Entrypoint: []string{"/s"}},
			imagetest.File("s", rig.Executable(elf.EM_AARCH64, []byte{0, 0, 0, 0}), 0o755)), []string{"/s"}},
		"climbs out":        {with(rig.ShellConfig(), imagetest.File("../../../../evil", "x", 0o644)), []string{"../../../../evil"}},
		"name not in UTF-8": {with(rig.ShellConfig(), imagetest.File("caf\xe9", "x", 0o644)), []string{`caf\xe9`}},
		"a device":          {with(rig.ShellConfig(), imagetest.Entry{Header: tar.Header{Typeflag: tar.TypeBlock, Name: "sda", Mode: 0o666, Devmajor: 8}}), []string{"sda"}},
		"hard link out":     {with(rig.ShellConfig(), imagetest.Link("shadow", "../../../../../etc/shadow")), []string{"shadow"}},
		"no tar":            {imagetest.Build{Layers: []imagetest.Layer{{Raw: []byte(strings.Repeat("no tar", 1000))}}, Config: rig.ShellConfig()}, []string{"layer"}},
		"diff ID lies": {imagetest.Build{Layers: []imagetest.Layer{busybox}, Config: rig.ShellConfig(),
			ClaimDiffIDs: []string{"sha256:" + strings.Repeat("0", 64)}}, []string{"does not match"}},
		"user overflows": {with(imagetest.Config{Entrypoint: []string{"/bin/true"}, User: "4294967296"}), []string{"4294967296"}},
	} {
		r := h.Run("--image", h.Build(c.image), "--max-retries", "3")
		if r.Code != 1 {
			t.Errorf("%s: exit %d, want 1\n%s", name, r.Code, r)
			continue
		}
		for _, w := range c.words {
			// What only the kernel can find out stands in the task's log.
			if !strings.Contains(r.Stderr+r.Stdout, w) {
				t.Errorf("%s: nothing says %q\n%s", name, w, r)
			}
		}
		checkNoRoots(h, name)
	}
}

// contract: IMG-10
// What is wrong with the way to an image.
func TestBadReference(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	server := imagetest.Serve(t)
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}, server.Host+"/app:1")
	closed := closedPort(t)
	none := "sha256:" + strings.Repeat("0", 64)
	for ref, words := range map[string][]string{
		server.Host + "/nosuch:1":         {"nosuch", "not found"},
		server.Host + "/app:2":            {"app:2", "not found"},
		server.Host + "/app@" + none:      {none, "not found"},
		closed + "/app:1":                 {closed, "unreachable"},
		"Upper/Case":                      {"not an image reference"},
		"http://host/x":                   {"not an image reference", "without http://"},
		"oci:":                            {"not an image reference", "no path"},
		"oci:/nonexistent":                {"/nonexistent"},
		"oci-archive:/nonexistent.tar":    {"/nonexistent.tar"},
		"docker-archive:/nonexistent.tar": {"/nonexistent.tar"},
		"oci-archive:/etc/passwd":         {"/etc/passwd"},
	} {
		r := h.Run("--image", ref)
		want := 1
		if slices.Contains(words, "not an image reference") {
			want = 2 // a mistake in the command, noticed before anything is done
		}
		if r.Code != want {
			t.Errorf("%s: exit %d, want %d\n%s", ref, r.Code, want, r)
			continue
		}
		r.Explains(words...)
		if r.Took > time.Minute {
			t.Errorf("%s: it took %v to find out", ref, r.Took)
		}
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return addr
}

// A registry that lies, breaks off or fails.
func TestBadRegistry(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	server := imagetest.Serve(t)
	a := imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}, server.Host+"/app:1")
	layer := a.Manifest.Layers[0]
	isLayer := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/blobs/"+layer.Digest) }
	blob, err := os.ReadFile(a.Dir + "/blobs/sha256/" + strings.TrimPrefix(layer.Digest, "sha256:"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte(nil), blob...)
	damaged[len(damaged)/2] ^= 1
	other := imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}}, server.Host+"/app:2")
	manifest, err := os.ReadFile(other.Dir + "/blobs/sha256/" + strings.TrimPrefix(other.Descriptor.Digest, "sha256:"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		serve func(w http.ResponseWriter, r *http.Request) (done bool)
		words []string
	}{
		"truncated layer": {func(w http.ResponseWriter, r *http.Request) bool {
			if isLayer(r) && r.Method == http.MethodGet {
				_, _ = w.Write(blob[:len(blob)/2])
			}
			return isLayer(r)
		}, []string{layer.Digest[7:19]}},
		"damaged layer": {func(w http.ResponseWriter, r *http.Request) bool {
			if isLayer(r) && r.Method == http.MethodGet {
				_, _ = w.Write(damaged)
			}
			return isLayer(r)
		}, []string{layer.Digest[7:19]}},
		"layer gone": {func(w http.ResponseWriter, r *http.Request) bool {
			if isLayer(r) {
				http.NotFound(w, r)
			}
			return isLayer(r)
		}, []string{layer.Digest[7:19], "not found"}},
		"server error": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Error(w, "the disk is on fire", http.StatusInternalServerError)
			return true
		}, []string{"500"}},
		"another manifest": {func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/manifests/") {
				w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
				_, _ = w.Write(manifest)
				return true
			}
			return false
		}, []string{"does not match"}},
		"wants a password": {func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}, []string{"not authorized"}},
	} {
		server.Intercept(func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
			if !c.serve(w, r) {
				registry.ServeHTTP(w, r)
			}
		})
		root := h.KeptRoot()
		r := h.Run("--image", server.Host+"/app@"+a.Descriptor.Digest, "--root", root)
		if r.Code != 1 {
			t.Errorf("%s: exit %d, want 1\n%s", name, r.Code, r)
			continue
		}
		r.Explains(append(c.words, server.Host+"/app")...)
		// What came of it must not be taken for good once the registry is well.
		server.Intercept(nil)
		h.Run("--image", server.Host+"/app@"+a.Descriptor.Digest, "--args", "echo well", "--root", root).Exits(0)
	}
}

// contract: IMG-11 ATK-37
func TestFullDisk(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	noise := make([]byte, 4<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7)
	}
	image := h.Build(imagetest.Build{Layers: []imagetest.Layer{
		imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.File("noise", strings.Repeat(string(noise), 8), 0o644)}},
	}, Config: rig.ShellConfig()})
	for _, size := range []string{"16k", "256k", "4m", "24m", "520m"} {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(dir, 0); err != nil {
				t.Errorf("unmount the small disk: %v", err)
			}
		})
		root := dir + "/root"
		h.AddRoot(root)
		r := h.Run("--image", image, "--args", "echo fits", "--root", root)
		if r.Code != 1 {
			t.Errorf("%s: exit %d, want 1\n%s", size, r.Code, r)
			continue
		}
		r.Explains("no space left")
		if used := diskUsed(t, dir); used > 1<<20 {
			t.Errorf("%s: %d bytes are used still", size, used)
		}
	}
}

// diskUsed is how many bytes of the file system at dir are taken.
func diskUsed(t *testing.T, dir string) uint64 {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	return (st.Blocks - st.Bfree) * uint64(st.Bsize)
}
