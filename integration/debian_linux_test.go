package integration

import (
	"fmt"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// debian is an image of Debian with python3, in two layers.
func debian(h *rig.Host) string {
	h.Helper()
	return h.Image("debian-python3", func() imagetest.Build {
		base, python := h.TempDir(), h.TempDir()
		if debs, err := debianPackages(); err == nil {
			unpackPackages(h, debs, base, python)
		} else {
			h.Logf("no packages (%v): taking the files that this host has installed of them", err)
			copyInstalled(h, base)
		}
		return imagetest.Build{
			Layers:      []imagetest.Layer{{Tree: base}, {Tree: python}},
			Compression: imagetest.None, // which takes long, and is tested elsewhere
			Config: imagetest.Config{
				Entrypoint: []string{"python3", "-c"},
				Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONUNBUFFERED=1"},
				WorkingDir: "/root",
			},
		}
	})
}

// contract: JOB-2 JOB-16 ENV-3
// The whole of it: a Debian image, a hundred tasks, two that fail and are
// retried, one of which never succeeds.
func TestHundredTasksInPython(t *testing.T) {
	rig.HostOnly(t, "Debian's packages")
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
	o := runJSON(h, "--image", image, "--args", "^\x01^"+script, "--tasks", "100", "--max-retries", "2", "--cpu", "0.5", "--memory", "128Mi")
	o.Exits(1)
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
	if !strings.Contains(o.Stderr, "99 of 100 tasks succeeded; task 77: exit 1") {
		t.Errorf("the verdict\n%s", rig.Clip(o.Stderr))
	}
}

// contract: MD-1 MD-4 MD-9
// Python finds the metadata server by name, and resolves through glibc.
func TestMetadataInPython(t *testing.T) {
	rig.HostOnly(t, "Debian's packages")
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
	o := runJSON(h, "--image", debian(h), "--args", "^\x01^"+script, "--project", "py", "--max-retries", "0")
	o.Exits(0)
	want := "py Google Metadata Server for Serverless\n['access_token', 'expires_in', 'token_type']\n403\n169.254.169.254 127.0.0.1\nfrom a shell\n[1, 2]\n(1,)\nDebian 1 /root"
	if got := o.text(0, "stdout"); got != want {
		t.Errorf("python prints\n%s\nwant\n%s\n%s", got, want, o.text(0, "stderr"))
	}
}
