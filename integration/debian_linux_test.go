package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"runnel/image/imagetest"
)

const (
	// debianCache keeps Debian's packages between runs, so that only the first
	// needs a network.
	debianCache = "../.cache/debian"
	// debianWanted are the packages that the image is to hold; apt adds what
	// they need.
	debianWanted = "python3 dash coreutils base-files"
)

// debian is an image of Debian with python3, in two layers.
func debian(h *host) string {
	h.Helper()
	return shared.image(h, "debian-python3", func() imagetest.Build {
		base, python := h.TempDir(), h.TempDir()
		if debs, err := debianPackages(); err == nil {
			unpackPackages(h, debs, base, python)
		} else {
			h.Logf("no packages (%v): taking the files that this host has installed of them", err)
			copyInstalled(h, base)
		}
		return imagetest.Build{
			Layers: []imagetest.Layer{{Tree: base}, {Tree: python}},
			Config: imagetest.Config{
				Entrypoint: []string{"python3", "-c"},
				Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONUNBUFFERED=1"},
				WorkingDir: "/root",
			},
		}
	})
}

// debianPackages downloads the packages, unless an earlier run has.
func debianPackages() ([]string, error) {
	done := filepath.Join(debianCache, "complete")
	if text, err := os.ReadFile(done); err != nil || string(text) != debianWanted {
		if err := downloadPackages(); err != nil {
			return nil, err
		}
		if err := os.WriteFile(done, []byte(debianWanted), 0o644); err != nil {
			return nil, err
		}
	}
	debs, err := filepath.Glob(filepath.Join(debianCache, "*.deb"))
	if err == nil && len(debs) < 10 {
		err = fmt.Errorf("%d packages only in %s", len(debs), debianCache)
	}
	return debs, err
}

// downloadPackages has apt believe that nothing is installed, so that it gets
// everything that is needed, and installs nothing.
func downloadPackages() error {
	dir, err := filepath.Abs(debianCache)
	if err != nil {
		return err
	}
	status := filepath.Join(dir, "status")
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "partial"), 0o755), os.WriteFile(status, nil, 0o644)); err != nil {
		return err
	}
	args := append([]string{"apt-get", "install", "--download-only", "--no-install-recommends", "--yes", "--quiet",
		"-o", "Dir::State::status=" + status, "-o", "Dir::Cache::archives=" + dir, "-o", "APT::Sandbox::User=root",
	}, strings.Fields(debianWanted)...)
	_, err = outside(args...)
	return err
}

// outside executes a command in the namespaces of the process that started the
// tests: there is a network, and the true /var/lib.
func outside(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	args = append([]string{"--target", fmt.Sprint(os.Getppid()), "--mount", "--net", "--wd=" + wd(), "--"}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", args[6:], err, out)
	}
	return string(out), nil
}

func wd() string {
	dir, err := os.Getwd()
	if err != nil {
		return "/"
	}
	return dir
}

// unpackPackages puts the files of python's packages into python, the others'
// into base.
func unpackPackages(h *host, debs []string, base, python string) {
	h.Helper()
	for _, deb := range debs {
		to := base
		if strings.Contains(filepath.Base(deb), "python3") {
			to = python
		}
		h.must(exec.Command("dpkg-deb", "--extract", deb, to))
	}
	for _, dir := range []string{base, python} {
		h.slim(dir)
	}
}

// slim leaves out what nobody reads in an image, as Debian's own slim one does.
func (h *host) slim(dir string) {
	h.Helper()
	for _, waste := range []string{"usr/share/doc", "usr/share/man", "usr/share/locale"} {
		if err := os.RemoveAll(filepath.Join(dir, waste)); err != nil {
			h.Fatal(err)
		}
	}
	// A temporary directory is not for everybody, but a root is.
	if err := os.Chmod(dir, 0o755); err != nil {
		h.Fatal(err)
	}
}

// copyInstalled copies what this host has installed of the wanted packages and
// all that they depend on.
func copyInstalled(h *host, to string) {
	h.Helper()
	script := `deps=$(apt-cache depends --recurse --installed --important ` + debianWanted + ` | grep '^[a-z]' | sort -u)
		dpkg -L $deps 2>/dev/null | sort -u`
	files, err := outside("sh", "-c", script)
	if err != nil {
		h.Fatalf("neither downloaded nor installed: %v", err)
	}
	list := filepath.Join(h.TempDir(), "files")
	wanted := slices.DeleteFunc(strings.Split(files, "\n"), func(f string) bool {
		info, err := os.Stat(f)
		return f == "" || f == "/." || err != nil || info.IsDir()
	})
	if err := os.WriteFile(list, []byte(strings.Join(wanted, "\n")+"\n"), 0o644); err != nil {
		h.Fatal(err)
	}
	h.must(exec.Command("sh", "-c", "tar -C / -c -T "+list+" 2>/dev/null | tar -C "+to+" -x"))
	// On this host /bin and the like may be links into /usr.
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if target, err := os.Readlink("/" + name); err == nil {
			h.must(exec.Command("sh", "-c", fmt.Sprintf("cd %s && mkdir -p %s && { [ ! -d %s ] || cp -a %s/. %s/ && rm -rf %s; } && ln -s %s %s",
				to, target, name, name, target, name, target, name)))
		}
	}
	h.slim(to)
}

// must runs a command of the host's.
func (h *host) must(cmd *exec.Cmd) {
	h.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		h.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// contract: JOB-2 JOB-16 ENV-3
// The whole of it: a Debian image, a hundred tasks, two that fail and are
// retried, one of which never succeeds.
func TestHundredTasksInPython(t *testing.T) {
	hostOnly(t, "Debian's packages")
	h := openHost(t)
	const script = `
import os, sys, hashlib, json
index, attempt = int(os.environ["CLOUD_RUN_TASK_INDEX"]), int(os.environ["CLOUD_RUN_TASK_ATTEMPT"])
count = int(os.environ["CLOUD_RUN_TASK_COUNT"])
print(json.dumps({"index": index, "attempt": attempt, "share": list(range(index, 1000, count)), "sum": hashlib.sha256(b"%d" % index).hexdigest()}))
if index == 42 and attempt < 2:
    sys.exit("not yet")
if index == 77:
    raise ValueError("never")
`
	image := debian(h)
	o := h.runJSON("--image", image, "--args", "^\x01^"+script, "--tasks", "100", "--max-retries", "2", "--cpu", "0.5", "--memory", "128Mi")
	o.exits(1)
	for i := range 100 {
		want := task{Index: i, Attempts: 1, State: "Succeeded"}
		switch i {
		case 42:
			want.Attempts = 3
		case 77:
			want.Attempts, want.State = 3, "Failed"
		}
		got := o.task(i)
		if got.Attempts != want.Attempts || got.State != want.State {
			t.Errorf("task %d: %+v, want %+v", i, got, want)
		}
		if texts := o.texts(i, "stdout"); len(texts) != want.Attempts || !strings.Contains(texts[len(texts)-1], fmt.Sprintf(`"attempt": %d`, want.Attempts-1)) {
			t.Errorf("task %d prints %q", i, texts)
		}
	}
	if got := o.task(77); *got.ExitCode != 1 || got.Message != "The container exited with an error." {
		t.Errorf("task 77: %+v", got)
	}
	if got := strings.Count(o.text(77, "stderr"), "ValueError: never"); got != 3 {
		t.Errorf("task 77 tells its mistake %d times, want 3", got)
	}
	if c := o.execution.Counts; c.Succeeded != 99 || c.Failed != 1 || c.Retried != 2 {
		t.Errorf("counts %+v", c)
	}
	if !strings.Contains(o.stderr, "99 of 100 tasks succeeded; task 77: exit 1") {
		t.Errorf("the verdict\n%s", clip(o.stderr))
	}
}

// contract: MD-1 MD-4 MD-9
// Python finds the metadata server by name, and resolves through glibc.
func TestMetadataInPython(t *testing.T) {
	hostOnly(t, "Debian's packages")
	h := openHost(t)
	const script = `
import urllib.request, urllib.error, json, socket, os, subprocess, multiprocessing, tempfile, sqlite3, threading
def ask(path, **headers):
    request = urllib.request.Request("http://metadata.google.internal/computeMetadata/v1/" + path, headers=headers)
    return urllib.request.urlopen(request, timeout=20)
google = {"Metadata-Flavor": "Google"}
answer = ask("project/project-id", **google)
print(answer.read().decode(), answer.headers["Metadata-Flavor"], answer.headers["Server"])
print(sorted(json.load(ask("instance/service-accounts/default/token", **google))))
try:
    ask("project/project-id")
except urllib.error.HTTPError as e:
    print(e.code)
print(socket.gethostbyname("metadata.google.internal"), socket.gethostbyname("localhost"))
print(subprocess.run(["sh", "-c", "echo from a shell"], capture_output=True, text=True).stdout.strip())
with multiprocessing.Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
with tempfile.TemporaryDirectory() as d:
    db = sqlite3.connect(d + "/db"); db.execute("create table t(x)"); db.execute("insert into t values (1)"); db.commit()
    print(db.execute("select count(*) from t").fetchone())
print(open("/etc/os-release").read().split('"')[1].split()[0], os.getpid(), os.getcwd())
`
	o := h.runJSON("--image", debian(h), "--args", "^\x01^"+script, "--project", "py", "--max-retries", "0")
	o.exits(0)
	want := "py Google Metadata Server for Serverless\n['access_token', 'expires_in', 'token_type']\n403\n169.254.169.254 127.0.0.1\nfrom a shell\n[1, 2]\n(1,)\nDebian 1 /root"
	if got := o.text(0, "stdout"); got != want {
		t.Errorf("python prints\n%s\nwant\n%s\n%s", got, want, o.text(0, "stderr"))
	}
}
