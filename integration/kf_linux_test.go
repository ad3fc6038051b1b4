package integration

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// kfWorld is a daemon, and a registry with an image of busybox that has neither
// an entrypoint nor a command.
type kfWorld struct {
	*rig.Daemon
	image string
}

func openKf(t *testing.T, flags ...string) *kfWorld {
	t.Helper()
	h := openHost(t)
	image := imagetest.Serve(t).Host + "/kf/busybox:1"
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: imagetest.Config{Env: []string{"PATH=/bin"}}}, image)
	return &kfWorld{h.Serve(flags...), image}
}

// kf runs a command of "runnel kf", which must succeed.
func (w *kfWorld) kf(args ...string) rig.Result {
	w.Host.Helper()
	return w.CLI(append([]string{"kf"}, args...)...).Exits(0)
}

// task is the name of the task that a command says it has submitted.
func (w *kfWorld) task(r rig.Result) string {
	w.Host.Helper()
	found := regexp.MustCompile(`(?m)^Task (\S+-[a-z0-9]{5}) is submitted successfully for execution\.$`).FindStringSubmatch(r.Stdout)
	if found == nil {
		w.Host.Fatalf("no task is submitted\n%s", r)
	}
	return found[1]
}

// status is "SUCCEEDED REASON" of a task.
func (w *kfWorld) status(task string) string {
	w.Host.Helper()
	return w.kf("tasks", "-o", `jsonpath={range .items[?(@.metadata.name=="`+task+`")]}{.status.conditions[0].status} {.status.conditions[0].reason}{end}`).Stdout
}

// until waits until a task is in a status.
func (w *kfWorld) until(task, status string) {
	w.Host.Helper()
	w.Until(task+" to be "+status, func() bool { return strings.TrimSpace(w.status(task)) == status })
}

// printed is what the tasks of an app have printed, as far as it is kept.
func (w *kfWorld) printed(app string) string {
	w.Host.Helper()
	return w.kf("logs", app, "--task", "--recent", "-n", "1000").Stdout
}

// contract: KF-1, KF-2, KF-3, KF-4, KF-5, KF-13
func TestKfTasksOfAnApp(t *testing.T) {
	w := openKf(t)
	w.kf("push", "etl", "--task", "--docker-image", w.image, "--env", "A=1", "--env", "LANG=C", "-m", "512M", "-k", "2G")
	w.kf("apps").Shows("etl   stopped    512Mi   2Gi   1000m  <nil>")
	w.CLI("kf", "run-task", "etl").Exits(1).Shows("Start command not found on App or Task")
	if out := w.kf("tasks", "etl", "-o", "name").Stdout; out != "" {
		t.Errorf("left of a task without a command: %s", out)
	}
	// The prompt is back before the task ends.
	slow := w.task(w.kf("run-task", "etl", "-c", "sleep 1000", "--name", "slow"))
	w.until(slow, "Unknown Running")
	other := w.task(w.kf("run-task", "etl", "-c", "env; cat /etc/hosts; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; exit 3", "-m", "256M", "--cpu-cores", "0.5", "-k", "1G"))
	w.until(other, "False Failed")
	if got := strings.TrimSpace(w.status(slow)); got != "Unknown Running" {
		t.Errorf("the one beside it is %s", got)
	}
	out := w.printed("etl")
	address := regexp.MustCompile(`CF_INSTANCE_IP=(\d+\.\d+\.\d+\.\d+)`).FindStringSubmatch(out)
	if address == nil {
		t.Fatalf("no address:\n%s", out)
	}
	for _, want := range []string{
		" A=1\n", " LANG=en_US.UTF-8\n", " MEMORY_LIMIT=256M\n", " DISK_LIMIT=1024\n", " INSTANCE_INDEX=0\n", " CF_INSTANCE_INDEX=0\n", " PORT=8080\n",
		" CF_INSTANCE_ADDR=" + address[1] + ":8080\n", " " + address[1] + "\tlocalhost\n", " VCAP_SERVICES={}\n", `"application_name":"etl"`, `"limits":{"disk":1024,"mem":256}`, " 268435456\n",
		" CLOUD_RUN_JOB=etl\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	table := w.kf("tasks", "etl").Stdout
	for _, want := range []string{`(?m)^Name +ID +DisplayName +Age +Duration +Succeeded +Reason$`, `(?m)^` + slow + ` +1 +slow +\d+[smh] +<nil> +Unknown +Running$`, `(?m)^` + other + ` +2 +` + other + ` +\d+[smh] +\d+[smh] +False +Failed$`} {
		if !regexp.MustCompile(want).MatchString(table) {
			t.Errorf("lacks %s:\n%s", want, table)
		}
	}
	w.kf("delete", "etl").Shows("Deleted app [etl].")
	w.CLI("kf", "run-task", "etl").Exits(1).Shows("cannot find app [etl]")
}

// contract: KF-6, KF-7, KF-9
func TestKfTerminatedTask(t *testing.T) {
	w := openKf(t)
	w.kf("push", "etl", "--task", "--docker-image", w.image, "-m", "128M", "-c", "echo stopped")
	stopped := w.task(w.kf("run-task", "etl"))
	w.until(stopped, "True")
	// Both at once, each until it is terminated.
	const loop = "echo terminated; trap 'exit 0' TERM; while :; do sleep 0.1; done"
	first, second := w.task(w.kf("run-task", "etl", "-c", loop)), w.task(w.kf("run-task", "etl", "-c", loop))
	w.Until("both to print", func() bool { return strings.Count(w.printed("etl"), "terminated") == 2 })
	w.Kill()
	w.Start()
	w.kf("terminate-task", first).Shows(`Task "` + first + `" is successfully submitted for termination`)
	w.kf("terminate-task", "etl", "3", "--async").Shows(`Task "` + second + `" is successfully submitted for termination`)
	for _, task := range []string{first, second} {
		w.until(task, "False PipelineRunCancelled")
	}
	w.Until("the logs to go", func() bool { return !strings.Contains(w.printed("etl"), "terminated") })
	if out := w.printed("etl"); !strings.HasSuffix(out, " stopped\n") {
		t.Errorf("the log of the one that ended:\n%s", out)
	}
	for _, task := range []string{stopped, first} {
		w.CLI("kf", "terminate-task", task).Exits(1).Shows("Can't terminate completed Task")
	}
}

// contract: KF-7
func TestKfLogsFollow(t *testing.T) {
	w := openKf(t)
	w.kf("push", "etl", "--task", "--docker-image", w.image, "-m", "128M")
	task := w.task(w.kf("run-task", "etl", "-c", "seq 1 30; until [ -e /tmp/end ]; do sleep 0.05; done; echo over"))
	w.until(task, "Unknown Running")
	tail := w.Host.StartWith(func(c *exec.Cmd) { c.Env = append(c.Env, w.Environment()...) }, "kf", "logs", "etl", "--task")
	tail.Says(tail.Stdout, " 30\n") // it follows, and the task goes on
	if err := os.WriteFile("/proc/"+entrypoint(w.Daemon)+"/root/tmp/end", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := tail.Wait().Exits(0)
	if lines := strings.Count(r.Stdout, "\n"); !strings.HasSuffix(r.Stdout, " over\n") || strings.Contains(r.Stdout, " 1\n") && lines > 11 {
		t.Errorf("%d lines\n%s", lines, r)
	}
	if out := w.kf("logs", "etl", "--task", "--recent").Stdout; strings.Count(out, "\n") != 10 || !strings.Contains(out, " 30\n") || strings.Contains(out, " 21\n") {
		t.Errorf("the last ten lines:\n%s", out)
	}
}

// contract: KF-2, KF-4
func TestKfStartCommandAndEntrypoint(t *testing.T) {
	w := openKf(t)
	h := w.Host
	entry := h.Build(imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(h)}, Config: imagetest.Config{Entrypoint: []string{"/bin/echo", "entry"}, Cmd: []string{"image's"}}})
	bare := h.Build(imagetest.Build{Layers: []imagetest.Layer{{Entries: []imagetest.Entry{imagetest.File("data", "", 0o644)}}}})
	w.kf("push", "entry", "--task", "--docker-image", entry, "-m", "128M")
	w.kf("push", "bare", "--task", "--docker-image", bare, "-m", "128M")
	for _, args := range [][]string{{}, {"-c", "of the task"}} {
		w.until(w.task(w.kf(append([]string{"run-task", "entry"}, args...)...)), "True")
	}
	w.kf("push", "entry", "--task", "-c", "of the app")
	w.until(w.task(w.kf("run-task", "entry")), "True")
	w.kf("push", "entry", "--task", "--args", "a", "--args", "b")
	w.until(w.task(w.kf("run-task", "entry")), "True")
	out := w.printed("entry")
	for _, want := range []string{" entry image's\n", " entry of the task\n", " entry of the app\n", " entry a b\n"} {
		if strings.Count(out, want) != 1 {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	w.CLI("kf", "run-task", "bare", "-c", "date").Exits(1).Shows("the image has neither an entrypoint nor /bin/sh")
	w.CLI("kf", "push", "none", "--task", "--docker-image", strings.Replace(w.image, ":1", ":2", 1)).Exits(1)
	w.CLI("kf", "run-task", "none", "-c", "date").Exits(1).Shows("has no image")
}

// contract: KF-1
func TestKfAppFromADirectory(t *testing.T) {
	w := openKf(t)
	dir := directory(w.Host, map[string]string{"load.sh": "#!/bin/sh\ncat data\n", "data": "first\n"})
	w.kf("push", "etl", "--task", "--path", dir, "--base-image", w.image, "-m", "128M", "-c", "./load.sh")
	w.until(w.task(w.kf("run-task", "etl")), "True")
	write(w.Host, dir, "data", "second\n")
	w.kf("push", "etl", "--task", "--path", dir, "--base-image", w.image)
	w.until(w.task(w.kf("run-task", "etl")), "True")
	if out := w.printed("etl"); strings.Count(out, " first\n") != 1 || !strings.HasSuffix(out, " second\n") {
		t.Errorf("printed:\n%s", out)
	}
}

// contract: KF-8
func TestKfNewest500Tasks(t *testing.T) {
	rig.HostOnly(t, "505 tasks take their time")
	w := openKf(t)
	w.kf("push", "etl", "--task", "--docker-image", w.image, "-m", "128M", "--cpu-cores", "0.25", "-c", "true")
	running := w.task(w.kf("run-task", "etl", "-c", "sleep 1000"))
	ctx := w.Host.Limit(5 * rig.Patience()) // for 505 tasks, not for one
	jobs := w.Jobs(ctx)
	for n := range 505 {
		// What "runnel kf run-task" does, without a process for each.
		op, err := jobs.RunJob(ctx, &runpb.RunJobRequest{Name: "projects/local/locations/us-central1/jobs/etl"})
		if err != nil {
			t.Fatalf("task %d: %v", n+1, err)
		}
		if n%50 == 49 || n == 504 {
			if _, err := op.Wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Until("500 tasks and the one that runs", func() bool {
		return strings.Count(w.kf("tasks", "etl", "-o", "name").Stdout, "\n") == 501
	})
	ids := w.kf("tasks", "etl", "-o", "jsonpath={.items[*].status.id}").Stdout
	if !strings.HasPrefix(ids, "1 7 8 ") || !strings.HasSuffix(ids, " 505 506") {
		t.Errorf("left: %s", ids)
	}
	if got := fmt.Sprint(strings.TrimSpace(w.status(running))); got != "Unknown Running" {
		t.Errorf("the one that runs is %s", got)
	}
}
