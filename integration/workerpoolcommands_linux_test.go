package integration

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// obedient is the end of a script of one process that goes on until it is told to
// end, and then ends at once.
const obedient = "mkfifo /line; trap 'echo told to end; exit 0' TERM; read x <>/line"

// verb runs a verb of worker pools.
func (w *workers) verb(line string, more ...string) rig.Result {
	w.Host.Helper()
	return w.CLI(append(append([]string{"worker-pools"}, strings.Fields(line)...), more...)...)
}

// mill deploys the worker pool mill, whose instances run a script in the shell of
// an image.
func (w *workers) mill(image, text string, flags ...string) rig.Result {
	w.Host.Helper()
	return w.verb("deploy mill --memory 128Mi --image "+image+" --args", append([]string{"^@@^" + text}, flags...)...)
}

// value is what a verb shows of one thing.
func (w *workers) value(key, line string) string {
	w.Host.Helper()
	return strings.TrimSpace(w.verb(line, "--format", "value("+key+")").Exits(0).Stdout)
}

// contract: CLI-3, WP-2, WP-7
// Every verb, from the first deploy to the end, with images of a registry.
func TestWorkerPoolCommands(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	image := imagetest.Serve(t).Host + "/team/mill:1"
	shell := imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}
	imagetest.Push(t, shell, image)

	w.mill(image, "echo here with $MODE; "+obedient, "--set-env-vars", "MODE=one", "--labels", "team=data", "--revision-suffix", "v1").
		Exits(0).Shows("Deploying new worker pool...", "Worker pool [mill] revision [mill-v1] has been deployed.")
	w.number(1) // which is the default
	w.verb("update mill --instances 4").Exits(0).Shows("Worker pool [mill] has been updated.")
	first := w.number(4)
	w.verb("list").Exits(0).Shows("WORKER_POOL", "mill", "us-central1")
	w.verb("describe mill").Exits(0).Shows("+ WorkerPool mill in region us-central1", "team:data", "100%  LATEST (currently mill-v1)", "Manual (Instances: 4)")

	// A new revision without instances, then with a share of them.
	shell.Config.Env = append(shell.Config.Env, "FROM=another")
	digest := imagetest.Push(t, shell, image).Descriptor.Digest
	w.mill(image, "echo here with $MODE; "+obedient, "--no-promote", "--update-env-vars", "MODE=two", "--revision-suffix", "v2").Exits(0).Shows("has 0 percent of the instances")
	if !maps.Equal(w.number(4), first) {
		t.Error("instances have been replaced for a revision that gets none")
	}
	w.verb("update-instance-split mill --to-revisions LATEST=50").Exits(0).Shows("Splitting instances... done", "50%  mill-v1", "50%  LATEST (currently mill-v2)")
	w.runs(map[string]int{"mill-v1": 2, "mill-v2": 2})
	w.verb("update-instance-split mill --to-revisions mill-v1=25").Exits(0).Shows("25%  mill-v1", "75%  LATEST")
	w.runs(map[string]int{"mill-v1": 1, "mill-v2": 3})
	w.verb("update-instance-split mill --to-latest").Exits(0)
	w.runs(map[string]int{"mill-v2": 4})

	w.verb("logs mill --revision mill-v2 --limit 1").Exits(0).Shows("here with two")
	w.verb("logs mill --log-filter", `textPayload:"told to end"`).Exits(0).Shows("told to end")
	w.verb("revisions list --worker-pool mill").Exits(0).Shows("REVISION", "mill-v1", "mill-v2")
	if got := w.value("name", "revisions list --filter active=yes"); got != "mill-v2" {
		t.Errorf("active are %s", got)
	}
	if got := w.value("spec.containers[0].image", "revisions describe mill-v2"); !strings.HasSuffix(got, digest) {
		t.Errorf("mill-v2 is of %s, want %s", got, digest)
	}
	w.verb("revisions describe mill-v1").Exits(0).Shows("+ Revision mill-v1 in region us-central1", "MODE:")
	w.verb("revisions delete mill-v2 --quiet").Exits(1)
	w.verb("revisions delete mill-v1 --quiet").Exits(0).Shows("Deleted revision [mill-v1].")

	w.verb("update mill --instances 0").Exits(0).Shows("No instance is to run")
	w.number(0)
	w.verb("update mill --instances 1").Exits(0)
	w.number(1)
	w.verb("delete mill").Exits(2).Shows("add --quiet to go ahead")
	w.verb("delete mill --quiet").Exits(0).Shows("Deleted worker pool [mill].")
	w.number(0)
	w.verb("list").Exits(0).Shows("Listed 0 items.")
}

// runs waits until so many processes run of each revision.
func (w *workers) runs(want map[string]int) {
	w.Host.Helper()
	var got map[string]int
	w.Host.Cleanup(func() {
		if w.Host.Failed() {
			w.Host.Logf("processes by revision: %v", got)
		}
	})
	w.Eventually(fmt.Sprintf("%v run", want), func() bool {
		got = revisionsOf(pidsOf(w.Daemon))
		return maps.Equal(got, want)
	})
}

// contract: CLI-10, CLI-12, WP-4
// Several containers from flags, out to a file, and in again.
func TestWorkerPoolOfAFile(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	const listener = "echo up > /shared/note; mkfifo /line; trap 'exit 0' TERM; httpd -p 9090 -h /etc; read x <>/line"
	w.verb("deploy mill --instances 2 --add-volume name=shared,type=in-memory,size-limit=1Mi",
		"--container", "work", "--image", h.Shell(), "--memory", "128Mi", "--depends-on", "listen",
		"--add-volume-mount", "volume=shared,mount-path=/shared", "--args", "^@@^echo the note says $(cat /shared/note); "+obedient,
		"--container", "listen", "--image", h.Shell(), "--memory", "128Mi", "--startup-probe", "tcpSocket.port=9090,periodSeconds=60",
		"--add-volume-mount", "volume=shared,mount-path=/shared", "--args", "^@@^"+listener,
	).Exits(0)
	w.Until("both instances have printed", func() bool {
		return strings.Count(w.verb("logs mill").Stdout, "the note says up") == 2
	})
	before := w.number(6) // two instances of work, listen and its httpd

	exported := w.verb("describe mill --format export").Exits(0).Stdout
	file := filepath.Join(t.TempDir(), "mill.yaml")
	if err := os.WriteFile(file, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	w.verb("replace", file).Exits(0).Shows("New configuration has been applied to worker pool [mill].")
	if again := w.verb("describe mill --format export").Exits(0).Stdout; again != exported {
		t.Errorf("exported\n%sand after replace\n%s", exported, again)
	}
	if !maps.Equal(w.number(6), before) {
		t.Error("a file that says what is so replaces instances")
	}
	changed := regexp.MustCompile(`manualInstanceCount: '2'`).ReplaceAllString(exported, "manualInstanceCount: '1'")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil || changed == exported {
		t.Fatalf("%v\n%s", err, changed)
	}
	w.verb("replace", file).Exits(0)
	w.number(3)
	w.verb("delete mill -q").Exits(0)
	w.verb("replace", file).Exits(0).Shows("Deploying new worker pool...")
	w.number(3)
}

// A worker pool comes from a directory, too.
func TestWorkerPoolFromADirectory(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	base := imagetest.Serve(t).Host + "/base:1"
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}, base)
	dir := directory(h, map[string]string{"work.sh": "#!/bin/sh\necho at work in $PWD\n" + obedient + "\n"})
	w.verb("deploy mill --memory 128Mi --no-build --base-image", base, "--source", dir, "--command", "./work.sh").Exits(0)
	w.number(1)
	w.Until("it has printed", func() bool { return strings.Contains(w.verb("logs mill").Stdout, "at work in /workspace\n") })
}

// Who follows a log sees it grow, and stops with Ctrl-C; nothing else does.
func TestWorkerPoolLogIsFollowed(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	w.mill(h.Shell(), "while :; do echo tick; sleep 0.2; done").Exits(0)
	p := h.StartWith(func(c *exec.Cmd) { c.Env = append(c.Env, w.Environment()...) }, "worker-pools", "logs", "mill", "--follow")
	w.Eventually("it ticks", func() bool { return strings.Count(p.Stdout.String(), "tick\n") > 3 })
	p.Signal(syscall.SIGINT)
	p.Wait().Exits(130)
	ticks := strings.Count(w.verb("logs mill").Stdout, "tick\n")
	w.Until("it ticks on", func() bool { return strings.Count(w.verb("logs mill").Stdout, "tick\n") > ticks+1 })
}

// contract: WP-1, WP-2, CLI-3
// What cannot be is refused before anything happens, with what would be right.
func TestBadWorkerPoolCommands(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	w.mill(h.Shell(), obedient, "--revision-suffix", "v1").Exits(0)
	pids := w.number(1)
	image, registry := "--image "+h.Shell(), imagetest.Serve(t).Host
	for line, want := range map[string]string{
		"deploy mill --port 8080 " + image:                        "--port: a worker pool takes no requests",
		"deploy mill --allow-unauthenticated " + image:            "--allow-unauthenticated: a worker pool takes no requests",
		"deploy mill --min-instances 1 " + image:                  "--min-instances: a worker pool takes no requests",
		"deploy mill --instances -1 " + image:                     "--instances -1: want a number of instances, 0 or more",
		"deploy mill --cpu 3 " + image:                            "--cpu 3: ",
		"deploy mill --startup-probe httpGet.path=/ " + image:     "--startup-probe httpGet.path=/: ",
		"deploy other --no-promote " + image:                      "--no-promote: the worker pool is new",
		"deploy Mill_1 " + image:                                  "NAME: ",
		"update mill --container side --depends-on none " + image: "--container side: --depends-on none: ",
		"update mill": "nothing to change",
		"update-instance-split mill --to-revisions mill-v1=20,LATEST=20": "they do not add up to 100%",
		"update-instance-split mill --to-revisions mill-v1=80,LATEST=30": "adds up to 110%",
		"update-instance-split mill --to-revisions mill-v9=50":           "mill-v9",
		"update-instance-split mill --to-revisions mill-v1=half":         "want a whole number of percent",
	} {
		r := w.verb(line).Exits(2)
		if !strings.Contains(r.Stderr, want) {
			t.Errorf("worker-pools %s lacks %q\n%s", line, want, r)
		}
	}
	const missing = "cannot find worker pool [none] in project [local] region [us-central1]"
	for line, want := range map[string]string{
		"update none --instances 1":                     missing,
		"describe none":                                 missing,
		"delete none --quiet":                           missing,
		"logs none":                                     missing,
		"update-instance-split none --to-latest":        missing,
		"revisions list --worker-pool none":             missing,
		"revisions describe none":                       "cannot find revision [none]",
		"revisions delete mill-v1 --quiet":              "mill-v1",
		"deploy mill --image " + registry + "/nosuch:1": "nosuch:1",
		"replace /no/such/file":                         "",
	} {
		if r := w.verb(line); r.Code == 0 || !strings.Contains(r.Stderr, want) || strings.Contains(r.Stderr, "%!") {
			t.Errorf("worker-pools %s lacks %q\n%s", line, want, r)
		}
	}
	if !maps.Equal(w.number(1), pids) {
		t.Error("what was refused has replaced an instance")
	}

	// What ends at once is no worker, and the one before goes on.
	w.mill(h.Shell(), "echo no bread; exit 3", "--revision-suffix", "v2").Exits(1).Shows("Creating Revision... failed", "runnel worker-pools logs mill --system --revision mill-v2")
	w.verb("logs mill --system --revision mill-v2").Exits(0).Shows("no bread")
	if !maps.Equal(w.number(1), pids) {
		t.Error("what has not started has replaced an instance")
	}
}
