package kf

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/control/controltest"
	rimage "runnel/image"
)

// contract: KF-1, KF-12
func TestAnAppIsPushedAndStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.line("push", "etl", "--task", "--docker-image", controltest.Image, "-c", "echo hi", "--env", "A=1", "-e", "B=x,y=z", "-m", "512M", "-k", "2G", "--cpu-cores", "0.1")
	if got.Code != 0 || got.Stdout != "" || !strings.Contains(got.Stderr, "App [etl] has been pushed.") {
		t.Fatalf("push: %+v", got)
	}
	want := [][]string{{"Name", "Instances", "Memory", "Disk", "CPU", "URLs"}, {"etl", "stopped", "512Mi", "2Gi", "100m", "<nil>"}}
	if table := rows(w.must("apps")); fmt.Sprint(table) != fmt.Sprint(want) {
		t.Errorf("apps: %v", table)
	}
	if n := w.Instances.Starts(); n != 0 {
		t.Errorf("%d instances have run", n)
	}
	job, err := w.Control.Job(t.Context(), controltest.Parent+"/jobs/etl")
	if err != nil {
		t.Fatal(err)
	}
	task := job.GetTemplate().GetTemplate()
	k := task.GetContainers()[0]
	if task.GetMaxRetries() != 0 || task.GetTimeout().GetSeconds() != 604800 || k.GetArgs()[0] != "echo hi" || len(k.GetEnv()) != 2 || k.GetEnv()[1].GetValue() != "x,y=z" {
		t.Errorf("the job: %v", job)
	}
	// What no flag names stays.
	w.must("push etl --task -e A=2 -e C=3")
	job, _ = w.Control.Job(t.Context(), job.GetName())
	k = job.GetTemplate().GetTemplate().GetContainers()[0]
	if len(k.GetEnv()) != 3 || k.GetEnv()[0].GetValue() != "2" || k.GetImage() != controltest.Image || k.GetArgs()[0] != "echo hi" || k.GetResources().GetLimits()["memory"] != "512Mi" {
		t.Errorf("pushed again: %v", k)
	}
	if got := w.line("push", "etl", "--task", "-c", "", "--entrypoint", "/e"); got.Code != 0 {
		t.Fatalf("push: %+v", got)
	}
	job, _ = w.Control.Job(t.Context(), job.GetName())
	k = job.GetTemplate().GetTemplate().GetContainers()[0]
	if len(k.GetArgs()) != 0 || fmt.Sprint(k.GetCommand()) != "[/e]" || job.GetTemplate().GetAnnotations()[contract.KfCommand] != "" {
		t.Errorf("without its command: %v", job.GetTemplate())
	}
	w.must("push defaults --task --docker-image " + controltest.Image)
	if table := rows(w.must("apps")); fmt.Sprint(table[1]) != "[defaults stopped 1Gi 1Gi 1000m <nil>]" {
		t.Errorf("defaults: %v", table)
	}
}

// contract: KF-2, KF-3, KF-5
func TestATaskIsRunAndListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hang()
	w.push("etl")
	first := w.run("etl")
	second := w.run("etl", "-c", "sleep 100", "--name", "long one", "-m", "2G", "--cpu-cores", "0.5", "-k", "3G")
	x, err := w.Control.Execution(t.Context(), controltest.Parent+"/jobs/etl/executions/"+second)
	if err != nil {
		t.Fatal(err)
	}
	k := x.GetTemplate().GetContainers()[0]
	if got := fmt.Sprint(k.GetCommand(), k.GetArgs(), k.GetResources().GetLimits()); got != "[/bin/sh -c] [sleep 100] map[cpu:1000m memory:2Gi]" {
		t.Errorf("the second: %s", got)
	}
	w.Until("both to run", func() bool { return len(w.Instances.Running()) == 2 })
	table := rows(w.must("tasks etl"))
	if fmt.Sprint(table[0]) != "[Name ID DisplayName Age Duration Succeeded Reason]" || len(table) != 3 {
		t.Fatalf("tasks: %v", table)
	}
	for i, want := range [][]string{{first, "1", first}, {second, "2", "long one"}} {
		if got := table[i+1]; fmt.Sprint(got[:3]) != fmt.Sprint(want) || fmt.Sprint(got[4:]) != "[<nil> Unknown Running]" {
			t.Errorf("row %d: %v", i+1, got)
		}
	}
	w.Instances.Release()
	w.ended(first)
	if got := rows(w.must("tasks etl"))[1]; fmt.Sprint(got[4:]) != "[0s True <nil>]" {
		t.Errorf("ended: %v", got)
	}
}

// contract: KF-4
func TestATaskWithoutACommandIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Images.Configure(controltest.Image, rimage.Config{})
	w.push("etl")
	if got := w.do("run-task etl"); got.Code != 1 || !strings.HasSuffix(got.Stderr, "Start command not found on App or Task\n") || got.Stdout != "" {
		t.Errorf("got %+v", got)
	}
	if table := rows(w.must("tasks etl")); len(table) != 1 {
		t.Errorf("left: %v", table)
	}
}

// contract: KF-6
func TestATaskIsTerminated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hang()
	w.push("etl")
	first, second, third := w.run("etl"), w.run("etl"), w.run("etl")
	w.Until("all to run", func() bool { return len(w.Instances.Running()) == 3 })
	for line, task := range map[string]string{
		"terminate-task " + first: first,
		"terminate-task etl 2":    second,
		"terminate-task etl 3 --async --retries 2 --retry-delay 5ms": third,
	} {
		if out := w.must(line); out != fmt.Sprintf("Task %q is successfully submitted for termination\n", task) {
			t.Errorf("%s: %q", line, out)
		}
		w.ended(task)
	}
	for _, row := range rows(w.must("tasks etl"))[1:] {
		if fmt.Sprint(row[5:]) != "[False PipelineRunCancelled]" {
			t.Errorf("row: %v", row)
		}
	}
	if got := w.do("terminate-task " + first); got.Code != 1 || !strings.Contains(got.Stderr, "Can't terminate completed Task") || got.Stdout != "" {
		t.Errorf("again: %+v", got)
	}
	if got := w.do("terminate-task etl 9"); got.Code != 1 || !strings.Contains(got.Stderr, `No Task found for App "etl" and Task ID "9"`) {
		t.Errorf("no such number: %+v", got)
	}
}

// contract: KF-14
func TestListsComeInEachForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push("etl")
	task := w.run("etl")
	w.ended(task)
	for form, want := range map[string]string{
		"name":                                     "task.kf.dev/" + task + "\n",
		"jsonpath={.items[*].metadata.name}":       task,
		"jsonpath={.items[0].status.id}":           "1",
		"jsonpath-as-json={.items[*].spec.appRef}": "[\n    {\n        \"name\": \"etl\"\n    }\n]\n",
		"go-template={{range .items}}{{.metadata.name}} {{.status.duration}}{{end}}": task + " 0s",
		`jsonpath={.items[*].status.conditions[?(@.type=="Succeeded")].status}`:      "True",
	} {
		if got := w.line("tasks", "-o", form); got.Code != 0 || got.Stdout != want {
			t.Errorf("-o %s: %+v, want %q", form, got, want)
		}
	}
	var list struct {
		Kind  string
		Items []struct {
			APIVersion, Kind string
			Metadata         struct{ Name, Namespace string }
		}
	}
	if err := json.Unmarshal([]byte(w.must("apps -o json")), &list); err != nil || list.Kind != "List" || list.Items[0].Kind != "App" ||
		list.Items[0].APIVersion != "kf.dev/v1alpha1" || list.Items[0].Metadata.Name != "etl" || list.Items[0].Metadata.Namespace != "local" {
		t.Errorf("json: %+v, %v", list, err)
	}
	if out := w.must("tasks -o yaml"); !strings.Contains(out, "\n  kind: Task\n") || !strings.Contains(out, "name: "+task) {
		t.Errorf("yaml: %s", out)
	}
	if got := w.line("tasks", "-o", "go-template", "--template", "{{.kind}}"); got.Stdout != "List" {
		t.Errorf("--template: %+v", got)
	}
	if got := w.line("tasks", "-o", "jsonpath={.none}", "--allow-missing-template-keys=false"); got.Code != 1 || !strings.Contains(got.Stderr, "none") {
		t.Errorf("a key that is not there: %+v", got)
	}
}

func TestAppIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hang()
	w.push("etl")
	w.run("etl")
	if got := w.do("delete etl"); got.Code != 0 || !strings.Contains(got.Stderr, "Deleted app [etl].") {
		t.Fatalf("got %+v", got)
	}
	if table := rows(w.must("apps")); len(table) != 1 {
		t.Errorf("left: %v", table)
	}
}

// Mistakes are told in one line, and nothing is made.
func TestBadUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push("etl")
	plain := w.Job("plain", 1)
	_ = plain
	for line, want := range map[string]string{
		"push":                    "the app's name is missing",
		"push a --docker-image x": "--task is missing",
		"push a --task":           "--docker-image or --path is missing",
		"push a --task --docker-image x --path .":      "--path: cannot stand beside --docker-image",
		"push a --task --path /nowhere":                "--path /nowhere: no such file",
		"push a --task --path /proc/self/fd":           "--path /proc/self/fd: there is no Dockerfile in it; add one, or lay the directory on an image as it is, with --base-image IMAGE",
		"push a --task --docker-image x --env A":       "--env A: want NAME=VALUE",
		"push a --task --docker-image x --env PORT=1":  "--env: \"PORT\" is reserved",
		"push a --task --docker-image x -m lots":       "--memory-limit lots: want a number",
		"push a --task --docker-image x -m 64M":        "--memory-limit: 64Mi is too little",
		"push a --task --docker-image x -c y --args z": "--args: cannot stand beside --command",
		"push A --task --docker-image x":               "NAME: \"A\" is not a valid name",
		"push plain --task --docker-image x":           "job [plain] is not an app",
		"run-task":                                     "the app's name is missing",
		"run-task none":                                "cannot find app [none]",
		"run-task plain":                               "job [plain] is not an app",
		"run-task etl --cpu-cores x":                   "--cpu-cores x: want a number",
		"run-task etl -m 64M":                          "--memory-limit: 64Mi is too little",
		"run-task etl extra":                           "unexpected argument \"extra\"",
		"tasks none":                                   "cannot find app [none]",
		"tasks -o xml":                                 "--output xml: want json, yaml, name",
		"tasks -o jsonpath":                            "--output jsonpath: a template is missing",
		"tasks -o jsonpath={":                          "--output jsonpath: unclosed action",
		"tasks -o go-template={{":                      "--output go-template: template",
		"tasks --format json":                          "unknown flag --format; did you mean --output?",
		"apps --format none":                           "unknown flag --format; did you mean --output?",
		"run-job x --format json":                      "unknown flag --format; see runnel kf run-job --help",
		"tasks -o name=x":                              "name takes no template",
		"terminate-task":                               "the task's name is missing",
		"terminate-task none":                          "cannot find task [none]",
		"terminate-task x --retries=-1":                "--retries -1: want 0 or more",
		"logs etl":                                     "--task is missing",
		"logs etl --task -n 0":                         "--number 0: want 1 or more",
		"logs none --task":                             "cannot find app [none]",
		"logs plain --task":                            "job [plain] is not an app",
		"delete none":                                  "cannot find app [none]",
		"delete plain":                                 "job [plain] is not an app",
	} {
		if got := w.do(line); got.Code == 0 || !strings.Contains(got.Stderr, want) || got.Stdout != "" {
			t.Errorf("%s: exit %d, %q; want %q", line, got.Code, got.Stderr, want)
		}
	}
	if table := rows(w.must("apps")); len(table) != 2 {
		t.Errorf("apps: %v", table)
	}
	if job, err := w.Control.Job(t.Context(), plain); err != nil || job.GetDeleteTime() != nil || job.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Errorf("the plain job: %v, %v", job, err)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	newWorld(t).Help("kf")
}

func TestSpaceIsAProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("push etl --task --space other --docker-image " + controltest.Image)
	if table := rows(w.must("apps --space other")); len(table) != 2 {
		t.Errorf("apps: %v", table)
	}
	if table := rows(w.must("apps")); len(table) != 1 {
		t.Errorf("apps elsewhere: %v", table)
	}
}
