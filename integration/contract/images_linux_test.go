package contract

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// saying is an image whose tasks print what stands in a file of it.
func saying(t *testing.T, text string) imagetest.Build {
	t.Helper()
	return imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.File("text", text+"\n", 0o644)}}},
		Config: imagetest.Config{Env: []string{"PATH=/bin"}, Entrypoint: []string{"/bin/cat"}, Cmd: []string{"/text"}},
	}
}

// serving is an image whose instances answer every request with the text, and
// with what is different in each of them.
func serving(t *testing.T, text string) imagetest.Build {
	t.Helper()
	b := saying(t, text)
	b.Config.Entrypoint, b.Config.Cmd = []string{"/bin/sh", "-c",
		"mkdir /www; cat /text /proc/sys/kernel/random/uuid >/www/index.html; trap 'exit 0' TERM; httpd -f -p $PORT -h /www & wait"}, nil
	return b
}

// forARM is the same image for another platform.
func forARM(b imagetest.Build) imagetest.Build {
	b.Platform = imagetest.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	return b
}

// deployJob deploys and executes a job of an image.
func deployJob(t *testing.T, d *rig.Daemon, name, image string, flags ...string) rig.Result {
	t.Helper()
	deletesJob(t, d, name)
	return d.CLI(append([]string{"jobs", "deploy", name, "--image", image, "--cpu", "0.1", "--memory", "128Mi", "--execute-now", "--wait"}, flags...)...)
}

// prints checks what a job of an image prints.
func prints(t *testing.T, d *rig.Daemon, name, image, want string, flags ...string) {
	t.Helper()
	deployJob(t, d, name, image, flags...).Exits(0)
	if got := d.CLI("jobs", "logs", name, "--format", "value(textPayload)").Exits(0).Stdout; got != want {
		t.Errorf("%s: the task prints %q, want %q", image, got, want)
	}
}

// deployService deploys a service of an image that answers requests.
func deployService(d *rig.Daemon, name, image string, flags ...string) rig.Result {
	d.Host.Helper()
	return d.CLI(append([]string{"deploy", name, "--image", image, "--allow-unauthenticated", "--cpu", "0.1", "--concurrency", "1", "--memory", "128Mi"}, flags...)...)
}

// coldStart ends all instances of a service and has it start one.
func coldStart(t *testing.T, d *rig.Daemon, name string) (answer string) {
	t.Helper()
	before := d.Get(name, "/").Is(d.Host, http.StatusOK).Body
	d.CLI("services", "update", name, "--scaling", "0").Exits(0)
	d.Get(name, "/").Is(d.Host, http.StatusServiceUnavailable)
	d.CLI("services", "update", name, "--scaling", "auto").Exits(0)
	d.Eventually("another instance answers", func() bool {
		// An instance may take longer to start than a request waits.
		a := d.Get(name, "/")
		answer = a.Body
		return a.Code == http.StatusOK && answer != before || later(func() {})
	})
	return answer
}

// contract: IMG-1
func TestIMG1ImageForAnotherPlatformIsRefused(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	imagetest.Push(t, forARM(saying(t, "arm64")), server.Host+"/arm:1")
	imagetest.Push(t, saying(t, "amd64"), server.Host+"/amd:1")
	prints(t, d, nameOf(t, "amd"), server.Host+"/amd:1", "amd64\n")
	deletesJob(t, d, nameOf(t, "arm"))
	for kind, r := range map[string]rig.Result{
		"jobs":     d.CLI("jobs", "create", nameOf(t, "arm"), "--image", server.Host+"/arm:1"),
		"services": deployService(d, nameOf(t, "arm"), server.Host+"/arm:1"),
	} {
		r.Exits(1).Shows(server.Host+"/arm:1", "linux/amd64", "arm64")
		ready := d.CLI(kind, "describe", nameOf(t, "arm"), "--format", "value(status.conditions[0].type,status.conditions[0].status,status.latestReadyRevisionName)").Exits(0)
		if got := strings.Fields(ready.Stdout); len(got) != 2 || got[0] != "Ready" || got[1] != "False" {
			t.Errorf("what was deployed is %q", got)
		}
	}
}

// contract: IMG-2
func TestIMG2AMD64IsTakenOfAnIndex(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	for name, types := range map[string]imagetest.MediaTypes{"oci": imagetest.OCI, "docker": imagetest.Docker} {
		amd, arm := saying(t, "amd64"), forARM(saying(t, "arm64"))
		amd.MediaTypes, arm.MediaTypes = types, types
		dir := t.TempDir()
		children := []*imagetest.Artifact{writtenTo(t, dir, arm), writtenTo(t, dir, amd)}
		for tag, children := range map[string][]*imagetest.Artifact{"both": children, "arm": children[:1]} {
			ref := server.Host + "/" + name + ":" + tag
			index, err := imagetest.Index(types, children...)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range append(children[:len(children):len(children)], index) {
				at := ref
				if a != index {
					at = fmt.Sprintf("%s-%d", ref, i)
				}
				if err := a.Push(t.Context(), at); err != nil {
					t.Fatal(err)
				}
			}
			if tag == "both" {
				prints(t, d, nameOf(t, name), ref, "amd64\n")
			} else {
				deletesJob(t, d, nameOf(t, name, tag))
				d.CLI("jobs", "create", nameOf(t, name, tag), "--image", ref).Exits(1).Shows(ref, "linux/amd64", "arm64")
			}
		}
	}
}

// writtenTo is an image in a directory.
func writtenTo(t *testing.T, dir string, b imagetest.Build) *imagetest.Artifact {
	t.Helper()
	a, err := b.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// contract: IMG-3
func TestIMG3ManifestsOfThreeKindsAreAccepted(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	b := saying(t, "hello")
	imagetest.Push(t, b, server.Host+"/oci:1")
	b.MediaTypes = imagetest.Docker
	imagetest.Push(t, b, server.Host+"/schema2:1")
	_, err := imagetest.PushSchema1(t.Context(), server.Host+"/schema1:1", []imagetest.Schema1Step{
		{Layer: &b.Layers[0]},
		{Layer: &b.Layers[1], V1: `{"os":"linux","architecture":"amd64","config":{"Env":["PATH=/bin"],"Entrypoint":["/bin/cat"],"Cmd":["/text"]}}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"oci", "schema2", "schema1"} {
		prints(t, d, nameOf(t, kind), server.Host+"/"+kind+":1", "hello\n")
	}
}

// contract: IMG-4
func TestIMG4ZstdUnpacksToTheSameFiles(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	b := imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t),
			{Entries: []imagetest.Entry{imagetest.Dir("d/", 0o755), imagetest.File("d/old", "old", 0o644), imagetest.Dir("d/e/", 0o755), imagetest.File("d/e/gone", "", 0o644)}},
			{Entries: []imagetest.Entry{
				imagetest.Dir("d/", 0o755), imagetest.Dir("d/e/", 0o750),
				imagetest.File("d/bytes", strings.Repeat("\x00\xff\xfe", 50_000), 0o640), imagetest.Link("d/hard", "d/bytes"),
				imagetest.Symlink("d/soft", "bytes"), imagetest.File("d/e/.wh.gone", "", 0o644), imagetest.File("d/run", "", 0o4755),
			}},
		},
		Config: imagetest.Config{Env: []string{"PATH=/bin"}, Entrypoint: []string{"/bin/sh", "-c",
			`cd /d; find . | sort | xargs stat -c '%n %N %f %h %s %u %g %Y'; find . -type f | sort | xargs md5sum`}},
	}
	var trees []string
	for name, c := range map[string]imagetest.Compression{"gzip": imagetest.Gzip, "zstd": imagetest.Zstd} {
		b.Compression = c
		a := imagetest.Push(t, b, server.Host+"/"+name+":1")
		if got := a.Manifest.Layers[0].MediaType; got != "application/vnd.oci.image.layer.v1.tar+"+name {
			t.Fatalf("the layer is %s", got)
		}
		deployJob(t, d, nameOf(t, name), server.Host+"/"+name+":1").Exits(0)
		trees = append(trees, d.CLI("jobs", "logs", nameOf(t, name), "--format", "value(textPayload)").Exits(0).Stdout)
		// The layers are the same once they are unpacked: the other compression
		// would find them here.
		d.CLI("jobs", "delete", nameOf(t, name), "--quiet").Exits(0)
		gone(t, d, a)
	}
	if trees[0] != trees[1] || strings.Count(trees[0], "\n") != 11 || strings.Contains(trees[0], "gone") {
		t.Errorf("the files are\n%sand\n%s", trees[0], trees[1])
	}
}

// layerDir is where the daemon keeps an image's topmost layer.
func layerDir(d *rig.Daemon, a *imagetest.Artifact) string {
	return filepath.Join(d.Root, "images/layers", strings.Replace(a.DiffIDs[len(a.DiffIDs)-1], ":", "/", 1))
}

// gone waits until the daemon has removed an image's topmost layer.
func gone(t *testing.T, d *rig.Daemon, a *imagetest.Artifact) {
	t.Helper()
	d.Eventually("the image is removed", func() bool {
		_, err := os.Stat(layerDir(d, a))
		return os.IsNotExist(err)
	})
}

// contract: IMG-5
func TestIMG5StartingAnInstanceAsksNoRegistry(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	a := imagetest.Push(t, serving(t, "img5"), server.Host+"/app:1")
	deployService(d, nameOf(t), server.Host+"/app:1").Exits(0)
	deletesJob(t, d, nameOf(t))
	d.CLI("jobs", "create", nameOf(t), "--image", server.Host+"/app:1", "--command", "/bin/cat,/text", "--cpu", "0.1", "--memory", "128Mi").Exits(0)
	server.Intercept(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		t.Errorf("the registry is asked for %s", r.URL.Path)
		http.Error(w, "closed", http.StatusServiceUnavailable)
	})
	if got := coldStart(t, d, nameOf(t)); !strings.HasPrefix(got, "img5\n") {
		t.Errorf("it answers %q", got)
	}
	d.CLI("services", "delete", nameOf(t), "--quiet").Exits(0)
	d.CLI("jobs", "execute", nameOf(t), "--wait").Exits(0)
	if _, err := os.Stat(layerDir(d, a)); err != nil {
		t.Errorf("while a job uses it: %v", err)
	}
	d.CLI("jobs", "delete", nameOf(t), "--quiet").Exits(0)
	gone(t, d, a)
}

// contract: IMG-6
func TestIMG6TagIsResolvedOnce(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	ref := server.Host + "/app:latest"
	digest := imagetest.Push(t, serving(t, "first"), ref).Descriptor.Digest
	deployService(d, nameOf(t), ref).Exits(0)
	deletesJob(t, d, nameOf(t))
	d.CLI("jobs", "create", nameOf(t), "--image", ref, "--command", "/bin/cat,/text", "--cpu", "0.1", "--memory", "128Mi").Exits(0)
	revision := strings.TrimSpace(d.CLI("services", "describe", nameOf(t), "--format", "value(status.latestReadyRevisionName)").Exits(0).Stdout)
	d.CLI("revisions", "describe", revision, "--format", "yaml").Exits(0).Shows("imageDigest: " + server.Host + "/app:latest@" + digest)

	imagetest.Push(t, serving(t, "second"), ref)
	if got := coldStart(t, d, nameOf(t)); !strings.HasPrefix(got, "first\n") {
		t.Errorf("once the tag has moved the service answers %q", got)
	}
	d.CLI("jobs", "execute", nameOf(t), "--wait").Exits(0)
	d.CLI("jobs", "update", nameOf(t), "--image", ref, "--execute-now", "--wait").Exits(0)
	if got := d.CLI("jobs", "logs", nameOf(t), "--format", "value(textPayload)").Exits(0).Stdout; got != "first\nsecond\n" {
		t.Errorf("before and after another deployment the job prints %q", got)
	}
	deployService(d, nameOf(t), ref).Exits(0)
	d.Get(nameOf(t), "/").Is(d.Host, http.StatusOK, "second")
	d.CLI("services", "delete", nameOf(t), "--quiet").Exits(0)
}

// contract: IMG-8
func TestIMG8NamesOfFilesAreUTF8(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	const bytes = "\xff\x00\xfe"
	with := func(name string) imagetest.Build {
		b := saying(t, "")
		b.Layers[1].Entries = []imagetest.Entry{imagetest.File(name, bytes, 0o644)}
		b.Config.Entrypoint, b.Config.Cmd = []string{"/bin/sh", "-c", "cd /; md5sum caf*"}, nil
		return b
	}
	imagetest.Push(t, with("caf\xe9"), server.Host+"/latin:1")
	imagetest.Push(t, with("café"), server.Host+"/utf:1")
	deletesJob(t, d, nameOf(t, "latin"))
	d.CLI("jobs", "create", nameOf(t, "latin"), "--image", server.Host+"/latin:1").Exits(1).Shows(`caf\xe9`, "UTF-8")
	prints(t, d, nameOf(t, "utf"), server.Host+"/utf:1", fmt.Sprintf("%x  café\n", md5.Sum([]byte(bytes))))
}
