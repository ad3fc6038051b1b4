package control_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/contract"
	"runnel/control"
	"runnel/control/controltest"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// newApp is what "runnel kf push" sends.
func newApp(app string) *runpb.Job {
	job := controltest.NewJob(1)
	job.Labels = map[string]string{contract.KfAppLabel: app}
	job.Template.Labels = map[string]string{contract.KfAppLabel: app}
	task := job.Template.Template
	task.Timeout = durationpb.New(contract.MaxTaskTimeout)
	task.Containers[0].Env = []*runpb.EnvVar{env("A", "1")}
	return job
}

// push makes an app, whose image has an entrypoint.
func push(t *testing.T, w *controltest.World, app string) string {
	t.Helper()
	w.Images.Configure(controltest.Image, rimage.Config{Entrypoint: []string{"/app"}})
	job, op := create(t, w, app, newApp(app))
	w.WaitFor(op.GetName())
	return job.GetName()
}

// runTask runs a task, which must be accepted, and returns it with its operation.
func runTask(t *testing.T, w *controltest.World, app string, o control.TaskOverrides) (*runpb.Execution, string) {
	t.Helper()
	x, op, err := w.Control.RunTask(t.Context(), app, o)
	if err != nil {
		t.Fatalf("run task of %s: %v", app, err)
	}
	return x, op.GetName()
}

// contract: KF-2, KF-3, KF-5
func TestTaskInheritsFromItsApp(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.SpaceEnv = map[string]string{"A": "0", "S": "2"} }})
	app := push(t, w, "etl")
	x, _ := runTask(t, w, app, control.TaskOverrides{})
	again, _ := runTask(t, w, app, control.TaskOverrides{Command: "migrate", Memory: "2G", CPU: "0.5", Disk: "3G", DisplayName: "nightly"})
	if !regexp.MustCompile(`/executions/etl-[a-z0-9]{5}$`).MatchString(x.GetName()) || x.GetLabels()[contract.KfTaskLabel] != "1" ||
		x.GetAnnotations()[contract.KfDisplayName] != x.GetName()[strings.LastIndex(x.GetName(), "/")+1:] {
		t.Errorf("first: %v", x)
	}
	k := again.GetTemplate().GetContainers()[0]
	if got := fmt.Sprint(k.GetCommand(), k.GetArgs(), k.GetResources().GetLimits(), again.GetAnnotations()[contract.KfDisk]); got != "[] [migrate] map[cpu:1000m memory:2Gi]3Gi" {
		t.Errorf("second: %s", got)
	}
	if again.GetLabels()[contract.KfTaskLabel] != "2" || again.GetAnnotations()[contract.KfDisplayName] != "nightly" {
		t.Errorf("second: %v, %v", again.GetLabels(), again.GetAnnotations())
	}
	if got := fmt.Sprint(k.GetEnv()); strings.Count(got, "name:\"A\"") != 1 || !strings.Contains(got, `value:"1"`) || !strings.Contains(got, `"S"`) {
		t.Errorf("environment: %s", got)
	}
	if job := getJob(t, w, app); job.GetTemplate().GetTemplate().GetContainers()[0].GetResources().GetLimits()["memory"] != "512Mi" {
		t.Errorf("the app has changed: %v", job)
	}
}

// contract: KF-2, KF-4
func TestStartCommandOfATask(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		image           rimage.Config
		command, args   []string
		start, override string
		want            string
	}{
		{"a shell's where the image has no entrypoint", rimage.Config{Cmd: []string{"x"}}, nil, nil, "", "sleep 1", "[/bin/sh -c] [sleep 1]"},
		{"the image's entrypoint's", rimage.Config{Entrypoint: []string{"/e"}}, nil, nil, "", "sleep 1", "[] [sleep 1]"},
		{"the app's entrypoint's", rimage.Config{}, []string{"/e"}, nil, "", "sleep 1", "[/e] [sleep 1]"},
		{"the app's own", rimage.Config{}, nil, nil, "date", "", "[/bin/sh -c] [date]"},
		{"the task's before the app's", rimage.Config{}, nil, nil, "date", "id", "[/bin/sh -c] [id]"},
		{"the app's arguments", rimage.Config{}, nil, []string{"a", "b"}, "", "", "[] [a b]"},
		{"the image's", rimage.Config{Cmd: []string{"x"}}, nil, nil, "", "", "[] []"},
		{"none", rimage.Config{}, nil, nil, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := controltest.New(t)
			w.Images.Configure(controltest.Image, tt.image)
			job := newApp("etl")
			k := job.Template.Template.Containers[0]
			k.Command, k.Args = tt.command, tt.args
			if tt.start != "" {
				k.Args = []string{tt.start}
				job.Template.Annotations = map[string]string{contract.KfCommand: tt.start}
			}
			app, op := create(t, w, "etl", job)
			w.WaitFor(op.GetName())
			x, _, err := w.Control.RunTask(t.Context(), app.GetName(), control.TaskOverrides{Command: tt.override})
			if tt.want == "" {
				fails(t, err, codes.FailedPrecondition, "Start command not found on App or Task")
				if n := getJob(t, w, app.GetName()).GetExecutionCount(); n != 0 {
					t.Errorf("%d executions are left of it", n)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			k = x.GetTemplate().GetContainers()[0]
			if got := fmt.Sprint(k.GetCommand(), " ", k.GetArgs()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTasksThatAreRefused(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	app := push(t, w, "etl")
	job := w.Job("plain", 1)
	_, _, err := w.Control.RunTask(t.Context(), parent+"/jobs/none", control.TaskOverrides{})
	fails(t, err, codes.NotFound, "'none'")
	_, _, err = w.Control.RunTask(t.Context(), job, control.TaskOverrides{})
	fails(t, err, codes.FailedPrecondition, "is not an app")
	for field, o := range map[string]control.TaskOverrides{
		"memory": {Memory: "lots"}, "cpu": {CPU: "x"}, "disk": {Disk: "-1"}, "displayName": {DisplayName: "a\x00b"},
	} {
		_, _, err = w.Control.RunTask(t.Context(), app, o)
		violates(t, err, field)
	}
	_, _, err = w.Control.RunTask(t.Context(), app, control.TaskOverrides{Memory: "64M"})
	violates(t, err, "memory")
	if n := getJob(t, w, app).GetExecutionCount(); n != 0 {
		t.Errorf("%d executions are left of them", n)
	}
}

// contract: KF-6, KF-7
func TestTerminatedTaskLosesItsLogs(t *testing.T) {
	t.Parallel()
	var logs removedLogs
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.RemoveLogs = logs.remove }})
	app := push(t, w, "etl")
	ended, op := runTask(t, w, app, control.TaskOverrides{})
	w.WaitFor(op)
	w.Instances.Always(controltest.Script{Hold: true})
	x, op := runTask(t, w, app, control.TaskOverrides{})
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	instance := w.Instances.Running()[0]
	_, end, err := w.Control.TerminateTask(t.Context(), x.GetName())
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(end.GetName())
	w.WaitFor(op)
	if got := logs.sorted(); !slices.Equal(got, []string{instance}) {
		t.Errorf("removed: %v, want those of %s alone", got, instance)
	}
	if got := completed(w.Ended(x.GetName())); got.GetExecutionReason() != runpb.Condition_CANCELLED {
		t.Errorf("ended: %v", got)
	}
	for _, of := range []*runpb.Execution{ended, x} {
		_, _, err = w.Control.TerminateTask(t.Context(), of.GetName())
		fails(t, err, codes.FailedPrecondition, "Can't terminate completed Task")
	}
	plain, _ := w.Run(w.Job("plain", 1))
	_, _, err = w.Control.TerminateTask(t.Context(), plain.GetName())
	fails(t, err, codes.FailedPrecondition, "not a task of an app")
}

// contract: KF-6
func TestTaskIsTerminatedOnce(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	app := push(t, w, "etl")
	w.Instances.Always(controltest.Script{Hold: true, Deaf: true})
	x, op := runTask(t, w, app, control.TaskOverrides{})
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	if _, _, err := w.Control.TerminateTask(t.Context(), x.GetName()); err != nil {
		t.Fatal(err)
	}
	_, _, err := w.Control.TerminateTask(t.Context(), x.GetName())
	fails(t, err, codes.FailedPrecondition, "Can't terminate terminated Task")
	w.Instances.End(w.Instances.Running()[0], contract.Exit{})
	w.WaitFor(op)
}

// contract: KF-6
func TestTaskThatWaitsIsTerminated(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Tasks: 1})
	app := push(t, w, "etl")
	w.Instances.Always(controltest.Script{Hold: true})
	first, _ := runTask(t, w, app, control.TaskOverrides{})
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	second, _ := runTask(t, w, app, control.TaskOverrides{})
	_, op, err := w.Control.TerminateTask(t.Context(), second.GetName())
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	if x := w.Ended(second.GetName()); x.GetCancelledCount() != 1 || w.Instances.Starts() != 1 {
		t.Errorf("the one that waited: %v", x)
	}
	if x, err := w.Control.Execution(t.Context(), first.GetName()); err != nil || x.GetRunningCount() != 1 {
		t.Errorf("the one that runs: %v, %v", x, err)
	}
	w.Instances.Release()
}

// contract: KF-7
func TestTerminatedTaskLosesItsLogsAfterARestart(t *testing.T) {
	t.Parallel()
	var logs removedLogs
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.RemoveLogs = logs.remove }})
	app := push(t, w, "etl")
	w.Instances.Always(controltest.Script{Hold: true, Deaf: true})
	x, _ := runTask(t, w, app, control.TaskOverrides{})
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	if _, _, err := w.Control.TerminateTask(t.Context(), x.GetName()); err != nil {
		t.Fatal(err)
	}
	w.Stop()
	for _, deaf := range w.Instances.Running() { // unless it was killed before all had stopped
		w.Instances.End(deaf, contract.Exit{})
	}
	w.Resume()
	w.Ended(x.GetName())
	w.Eventually("the logs to be removed", func() bool { return len(logs.sorted()) == 1 })
}

// contract: KF-8
func TestNewest500TasksOfAnAppAreKept(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	app := push(t, w, "etl")
	spec := newApp("etl")
	spec.Labels[contract.KfJobLabel], spec.Template.Labels[contract.KfJobLabel] = "nightly", "nightly"
	job, op := create(t, w, "nightly", spec) // a Kf job, whose tasks are the app's
	w.WaitFor(op.GetName())
	w.Instances.Always(controltest.Script{Hold: true})
	running, _ := runTask(t, w, app, control.TaskOverrides{})
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{} })
	var names []string
	for n := range 505 {
		of := app
		if n%5 == 0 {
			of = job.GetName()
		}
		x, op := runTask(t, w, of, control.TaskOverrides{})
		w.WaitFor(op)
		names = append(names, x.GetName())
	}
	for _, name := range names[:5] {
		w.Gone(name)
	}
	var left int32 // which is counted a moment after each is gone
	w.Eventually("500 tasks to be left, and the one that runs", func() bool {
		left = 0
		for _, name := range []string{app, job.GetName()} {
			left += getJob(t, w, name).GetExecutionCount()
		}
		return left <= 501
	})
	if left != 501 {
		t.Errorf("%d tasks are left, want 500 and the one that runs", left)
	}
	for _, name := range []string{running.GetName(), names[5], names[504]} {
		if _, err := w.Control.Execution(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if x, _ := w.Control.Execution(t.Context(), names[504]); x.GetLabels()[contract.KfTaskLabel] != "506" {
		t.Errorf("the last one is numbered %s", x.GetLabels()[contract.KfTaskLabel])
	}
	w.Instances.Release()
}

// contract: KF-9
func TestTasksOfAnAppRunAtOnce(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	app := push(t, w, "etl")
	w.Instances.Always(controltest.Script{Hold: true})
	a, _ := runTask(t, w, app, control.TaskOverrides{})
	b, _ := runTask(t, w, app, control.TaskOverrides{})
	w.Eventually("both", func() bool { return len(w.Instances.Running()) == 2 })
	if _, _, err := w.Control.TerminateTask(t.Context(), a.GetName()); err != nil {
		t.Fatal(err)
	}
	w.Ended(a.GetName())
	if x, err := w.Control.Execution(t.Context(), b.GetName()); err != nil || x.GetRunningCount() != 1 {
		t.Errorf("the other one: %v, %v", x, err)
	}
	w.Instances.Release()
}

func TestNumbersOfTasksGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	app := push(t, w, "etl")
	first, op := runTask(t, w, app, control.TaskOverrides{})
	w.WaitFor(op)
	if _, op, err := w.Control.DeleteExecution(t.Context(), &runpb.DeleteExecutionRequest{Name: first.GetName()}); err != nil {
		t.Fatal(err)
	} else {
		w.WaitFor(op.GetName())
	}
	w.Restart()
	if x, _ := runTask(t, w, app, control.TaskOverrides{}); x.GetLabels()[contract.KfTaskLabel] != "2" {
		t.Errorf("numbered %s", x.GetLabels()[contract.KfTaskLabel])
	}
}
