package integration

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// greeter is an image whose task prints what is in a file of its upper layer,
// through a link and after the lower layer's file was taken away.
func greeter(t testing.TB, greeting string) imagetest.Build {
	t.Helper()
	return imagetest.Build{
		Layers: []imagetest.Layer{
			imagetest.MustBusybox(t),
			{Entries: []imagetest.Entry{imagetest.File("old", "old", 0o644), imagetest.Dir("d/", 0o755), imagetest.File("d/old", "old", 0o644)}},
			{Entries: []imagetest.Entry{
				imagetest.File("greeting", greeting+"\n", 0o644), imagetest.Link("hard", "greeting"), imagetest.Symlink("soft", "/hard"),
				imagetest.File(".wh.old", "", 0o644), imagetest.Dir("d/", 0o755), imagetest.File("d/.wh..wh..opq", "", 0o644), imagetest.File("d/new", "", 0o644),
			}},
		},
		Config: imagetest.Config{
			Entrypoint: []string{"/bin/sh", "-c"},
			Cmd:        []string{`cat soft; ls /old d 2>/dev/null; stat -c %a:%h greeting; id -un; pwd; echo $WHERE`},
			Env:        []string{"PATH=/bin", "WHERE=in the image"}, User: "app:app", WorkingDir: "/",
		},
	}
}

// contract: IMG-3 IMG-4 IMG-10 IMG-14
// Whatever an image comes in and from, it is the same image.
func TestEveryFormAnImageComesIn(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	b := greeter(t, "hello")
	zstd, plain, docker := b, b, b
	zstd.Compression, plain.Compression, docker.MediaTypes = imagetest.Zstd, imagetest.None, imagetest.Docker
	server := imagetest.Serve(t)
	at := func(name string) string { return server.Host + "/team/" + name + ":1" }
	imagetest.Push(t, b, at("gzip"))
	imagetest.Push(t, zstd, at("zstd"))
	imagetest.Push(t, plain, at("plain"))
	imagetest.Push(t, docker, at("docker"))
	digest := imagetest.Push(t, b, at("bydigest")).Descriptor.Digest
	pushSchema1(t, at("schema1"), b)

	dir := t.TempDir()
	files := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.WriteOCI(dir+"/layout", "v1")
	files(err)
	_, err = zstd.WriteOCIArchive(dir+"/oci.tar", "v2")
	files(err)
	plain.Compression = imagetest.None
	_, err = plain.WriteDockerArchive(dir+"/docker.tar", "team/app:v3")
	files(err)

	root := h.KeptRoot()
	for _, ref := range []string{
		at("gzip"), at("zstd"), at("plain"), at("docker"), at("schema1"),
		server.Host + "/team/bydigest@" + digest,
		server.Host + "/team/bydigest:nosuchtag@" + digest,
		"oci:" + dir + "/layout", "oci:" + dir + "/layout:v1",
		"oci-archive:" + dir + "/oci.tar", "oci-archive:" + dir + "/oci.tar:v2",
		"docker-archive:" + dir + "/docker.tar", "docker-archive:" + dir + "/docker.tar:team/app:v3",
	} {
		r := h.Run("--image", ref, "--root", root)
		want := "0 stdout hello\n0 stdout d:\n0 stdout new\n0 stdout 644:2\n0 stdout app\n0 stdout /\n0 stdout in the image\n"
		if r.Code != 0 || !strings.HasPrefix(r.Stdout, want) {
			t.Errorf("%s: exit %d, want\n%s\n%s", ref, r.Code, want, r)
		}
	}
}

// pushSchema1 pushes b in Docker's first manifest format.
func pushSchema1(t *testing.T, ref string, b imagetest.Build) {
	t.Helper()
	var steps []imagetest.Schema1Step
	for i := range b.Layers {
		steps = append(steps, imagetest.Schema1Step{Layer: &b.Layers[i], V1: `{"os":"linux"}`})
	}
	c := b.Config
	steps[len(steps)-1].V1 = fmt.Sprintf(`{"os":"linux","architecture":"amd64","config":{"User":%q,"Env":["PATH=/bin","WHERE=in the image"],"Entrypoint":["/bin/sh","-c"],"Cmd":[%q],"WorkingDir":"/"}}`,
		c.User, c.Cmd[0])
	if _, err := imagetest.PushSchema1(t.Context(), ref, steps); err != nil {
		t.Fatal(err)
	}
}

// contract: IMG-1 IMG-2
func TestIndexOfSeveralPlatforms(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	server := imagetest.Serve(t)
	amd, arm := greeter(t, "hello amd64"), greeter(t, "hello arm64")
	arm.Platform = imagetest.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	for _, types := range []imagetest.MediaTypes{imagetest.OCI, imagetest.Docker} {
		amd.MediaTypes, arm.MediaTypes = types, types
		dir := t.TempDir()
		a, err := arm.Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		b, err := amd.Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		for tag, children := range map[string][]*imagetest.Artifact{"both": {a, b}, "arm": {a}} {
			index, err := imagetest.Index(types, children...)
			if err != nil {
				t.Fatal(err)
			}
			ref := fmt.Sprintf("%s/multi%d:%s", server.Host, types, tag)
			for i, child := range append(children[:len(children):len(children)], index) {
				at := ref
				if child != index {
					at = fmt.Sprintf("%s-%d", ref, i)
				}
				if err := child.Push(t.Context(), at); err != nil {
					t.Fatal(err)
				}
			}
			r := h.Run("--image", ref)
			if tag == "arm" {
				r.Exits(1).Explains(ref, "linux/amd64", "arm64")
			} else if r.Exits(0); !strings.Contains(r.Stdout, "hello amd64") {
				t.Errorf("%s\n%s", ref, r)
			}
		}
	}
}

// contract: IMG-6
// A second run of the same root fetches only what it does not have.
func TestLayersAreKeptInTheRoot(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	server := imagetest.Serve(t)
	b := greeter(t, "hello")
	imagetest.Push(t, b, server.Host+"/app:1")
	b.Layers = append(b.Layers, imagetest.Layer{Entries: []imagetest.Entry{imagetest.File("more", "more", 0o644)}})
	imagetest.Push(t, b, server.Host+"/app:2")
	root := h.KeptRoot()
	blobs := func() (n int) {
		for request, times := range server.Requests() {
			if strings.HasPrefix(request, "GET ") && strings.Contains(request, "/blobs/sha256:") {
				n += times
			}
		}
		return n
	}
	h.Run("--image", server.Host+"/app:1", "--root", root).Exits(0)
	first := blobs()
	if first != 4 { // three layers and the configuration
		t.Errorf("the first run fetched %d blobs, want 4", first)
	}
	r := h.Run("--image", server.Host+"/app:1", "--root", root).Exits(0)
	if n := blobs() - first; n > 1 || strings.Contains(r.Stderr, "unpacked") {
		t.Errorf("the second run fetched %d blobs\n%s", n, r)
	}
	second := blobs()
	r = h.Run("--image", server.Host+"/app:2", "--root", root).Exits(0)
	if n := blobs() - second; n > 2 || strings.Count(r.Stderr, "already here") != 3 {
		t.Errorf("the image with one layer more fetched %d blobs, want it and the configuration\n%s", n, r)
	}
}

// contract: IMG-5
// Once the image is there, tasks and their retries need no registry.
func TestTasksDoNotNeedTheRegistry(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	server := imagetest.Serve(t)
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}, server.Host+"/app:1")
	p := h.Start("--image", server.Host+"/app:1", "--tasks", "3", "--parallelism", "1", "--max-retries", "1", "--args",
		`echo up; sleep 0.3; exit $((CLOUD_RUN_TASK_ATTEMPT == 0))`)
	p.Says(p.Stdout, "stdout up")
	server.Intercept(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		t.Errorf("the registry was asked for %s", r.URL.Path)
		http.Error(w, "closed", http.StatusServiceUnavailable)
	})
	p.Wait().Exits(0)
}

// contract: IMG-10
func TestRegistryWithCredentials(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	server := imagetest.Serve(t)
	ref := server.Host + "/private/app:1"
	imagetest.Push(t, greeter(t, "hello"), ref)
	config := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("user:pass:word"))
	text := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, server.Host, auth)
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	withConfig := func(dir string) rig.Result {
		return h.StartWith(func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, "DOCKER_CONFIG="+dir)
		}, "run", "--image", ref).Wait()
	}
	for name, intercept := range map[string]imagetest.Intercept{
		"basic": wantAuthorization(`Basic realm="here"`, "Basic "+auth),
		"token": wantToken("http://"+server.Host+"/token", "Basic "+auth),
	} {
		server.Intercept(intercept)
		withConfig(t.TempDir()).Exits(1).Explains(ref, "not authorized")
		if r := withConfig(config); r.Code != 0 {
			t.Errorf("%s: exit %d\n%s", name, r.Code, r)
		}
	}
}

// wantAuthorization answers only who brings authorization.
func wantAuthorization(challenge, authorization string) imagetest.Intercept {
	return func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		if r.Header.Get("Authorization") != authorization {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		registry.ServeHTTP(w, r)
	}
}

// wantToken answers only who brings a token that realm gave for authorization.
func wantToken(realm, authorization string) imagetest.Intercept {
	inner := wantAuthorization(`Bearer realm="`+realm+`",service="here",scope="repository:private/app:pull"`, "Bearer token-of-the-test")
	return func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		switch {
		case r.URL.Path != "/token":
			inner(w, r, registry)
		case r.Header.Get("Authorization") == authorization:
			_, _ = fmt.Fprint(w, `{"token":"token-of-the-test"}`)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}
