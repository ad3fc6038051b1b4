package integration

import (
	"archive/tar"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// directory makes a directory with files in it, by their names; those that begin
// with #! are programs.
func directory(h *rig.Host, files map[string]string) string {
	h.Helper()
	dir := h.TempDir()
	for name, text := range files {
		write(h, dir, name, text)
	}
	return dir
}

// write puts a file into a directory.
func write(h *rig.Host, dir, name, text string) {
	h.Helper()
	path := filepath.Join(dir, name)
	mode := os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		h.Fatal(err)
	}
}

// greetingServer is a script that serves what stands in a file beside it, by
// busybox.
func greetingServer() map[string]string {
	return map[string]string{
		"serve.sh":       "#!/bin/sh\nexec httpd -f -p \"$PORT\" -h web\n",
		"web/index.html": "first\n",
		"web/where":      "in the directory\n",
		".git/config":    "nothing to deploy\n",
		"secret.env":     "nothing to deploy either\n",
		".gcloudignore":  "*.env\n",
	}
}

// A service comes from a directory on a registry's image; a changed file is a new
// revision; it starts again without the registry, and by another daemon; and when
// all is deleted nothing of it is left on the disk.
func TestServiceFromADirectory(t *testing.T) {
	h := openHost(t)
	server := imagetest.Serve(t)
	base := server.Host + "/base:1"
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}, base)
	d := h.ServeRequests()
	dir := directory(h, greetingServer())
	deploy := func(flags ...string) rig.Result {
		args := []string{"deploy", "hello", "--source", dir, "--no-build", "--base-image", base, "--command", "./serve.sh", "--memory", "128Mi", "--allow-unauthenticated"}
		return d.CLI(append(args, flags...)...)
	}
	deploy().Exits(0).Shows("Uploading sources...", "has been deployed and is serving")
	d.Get("hello", "/").Is(h, 200, "first")
	d.Get("hello", "/where").Is(h, 200, "in the directory")
	first := imagesOf(d)

	write(h, dir, "web/index.html", "second\n")
	deploy().Exits(0).Shows("has been deployed and is serving")
	d.Get("hello", "/").Is(h, 200, "second")
	deploy().Exits(0) // the same files are the same image
	if got := imagesOf(d); len(got) != len(first)+1 {
		t.Errorf("%d images after a changed file and one more deployment, want one more than %d", len(got), len(first))
	}

	server.Intercept(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Error(w, "closed", http.StatusServiceUnavailable)
	})
	d.Kill()
	d.Start()
	d.CLI("services", "update", "hello", "--update-env-vars", "A=1").Exits(0)
	d.Get("hello", "/").Is(h, 200, "second")
	d.CLI("services", "delete", "hello", "--quiet").Exits(0)
	testenv.Eventually(t, rig.Patience(), func() bool { return len(imagesOf(d)) == 0 && len(layersOf(d)) == 0 }, "nothing of the service is left on the disk")
}

// imagesOf are the records of the images that the daemon's root has, layers the
// directories of their layers.
func imagesOf(d *rig.Daemon) []string { return stored(d, "images") }
func layersOf(d *rig.Daemon) []string { return stored(d, "layers") }

func stored(d *rig.Daemon, what string) (names []string) {
	d.Host.Helper()
	found, err := filepath.Glob(filepath.Join(d.Root, "images", what, "sha256", "*"))
	if err != nil {
		d.Host.Fatal(err)
	}
	return found
}

// A job comes from a directory, too, and is another one when that has changed.
func TestJobFromADirectory(t *testing.T) {
	rig.HostOnly(t, "Debian's packages")
	h := openHost(t)
	d := h.Serve()
	dir := directory(h, map[string]string{
		"main.py": "import helper, os\nprint('I am', helper.name(), 'in', os.getcwd())\n", "helper.py": "def name(): return 'one'\n",
	})
	line := []string{"jobs", "deploy", "etl", "--source", dir, "--no-build", "--base-image", debian(h), "--command", "python3", "--args", "main.py", "--memory", "256Mi", "--wait"}
	d.CLI(line...).Exits(0)
	write(h, dir, "helper.py", "def name(): return 'two'\n")
	d.CLI(line...).Exits(0)
	logs := d.CLI("jobs", "logs", "etl").Exits(0).Stdout
	for _, want := range []string{"I am one in /workspace", "I am two in /workspace"} {
		if !strings.Contains(logs, want) {
			t.Errorf("the logs lack %q:\n%s", want, logs)
		}
	}
}

// What the builder makes of a Dockerfile is deployed.
func TestServiceFromADockerfile(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	dir := directory(h, map[string]string{"Dockerfile": "FROM scratch\n"})
	archive := filepath.Join(h.TempDir(), "built.tar")
	if _, err := (imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.File("web/index.html", "built\n", 0o644)}}},
		Config: imagetest.Config{Entrypoint: []string{"/bin/sh", "-c"}, Cmd: []string{`exec httpd -f -p "$PORT" -h /web`}, Env: []string{"PATH=/bin:/sbin:/usr/bin:/usr/sbin"}},
	}).WriteOCIArchive(archive, "v1"); err != nil {
		t.Fatal(err)
	}
	bin := h.TempDir()
	write(h, bin, "buildah", "#!/bin/sh\ncase $1 in\nbuild) echo STEP 1: FROM scratch; echo sha256:abc >\"$3\";;\npush) cp "+archive+" \"${4#oci-archive:}\";;\nesac\n")
	run := func(path string) rig.Result {
		return h.StartWith(func(c *exec.Cmd) { c.Env = append(c.Env, append(d.Environment(), "PATH="+path)...) },
			"deploy", "hello", "--source", dir, "--memory", "128Mi", "--allow-unauthenticated").Wait()
	}
	run(h.TempDir()).Exits(2).Shows("apt-get install buildah")
	run(bin+":"+os.Getenv("PATH")).Exits(0).Shows("STEP 1: FROM scratch", "Uploading image...", "has been deployed and is serving")
	d.Get("hello", "/").Is(h, 200, "built")
}

// The daemon is killed in the middle of an upload: the next one has nothing of it,
// and takes it as before.
func TestDaemonIsKilledDuringAnUpload(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.Serve()
	dir := directory(h, map[string]string{"main": "#!/bin/sh\necho hello from $PWD\n"})
	base := h.Shell()
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://daemon/source/v1/images?base="+url.QueryEscape(base), r)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		resp, err := d.HTTPClient().Do(req)
		if err == nil {
			err = fmt.Errorf("answered %s", resp.Status)
			_ = resp.Body.Close() // it was read for its status
		}
		ended <- err
	}()
	tw := tar.NewWriter(w)
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "workspace/big", Size: 1 << 20, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write(make([]byte, 1<<19)); err != nil {
		t.Fatal(err)
	}
	tmp := func() []string {
		found, err := filepath.Glob(filepath.Join(d.Root, "images", "tmp", "layer-*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	testenv.Eventually(t, rig.Patience(), func() bool { return len(tmp()) == 1 }, "the upload is being written")
	d.Kill()
	_ = w.CloseWithError(io.ErrClosedPipe)
	if err := <-ended; err == nil || strings.Contains(err.Error(), "answered") {
		t.Errorf("the client is told %v", err)
	}
	d.Start()
	if left := tmp(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	d.CLI("jobs", "deploy", "etl", "--source", dir, "--no-build", "--base-image", base, "--command", "./main", "--memory", "128Mi", "--wait").Exits(0)
	if logs := d.CLI("jobs", "logs", "etl").Exits(0).Stdout; !strings.Contains(logs, "hello from /workspace") {
		t.Errorf("the logs\n%s", logs)
	}
}
