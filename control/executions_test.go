package control_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/contract"
	"runnel/control"
	"runnel/control/controltest"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// contract: JOB-22
func TestRunJob(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 3)
	w.Instances.Always(controltest.Script{Hold: true})
	ctx := control.WithCaller(t.Context(), "me@example.com")
	x, op, err := w.Control.RunJob(ctx, &runpb.RunJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(x.GetName(), name+"/executions/hello-") || x.GetCreator() != "me@example.com" || !x.GetReconciling() || op.GetDone() {
		t.Errorf("accepted: %v", x)
	}
	want := controltest.Image + "@" + w.Images.Digest(controltest.Image)
	if got := x.GetTemplate().GetContainers()[0].GetImage(); got != want {
		t.Errorf("image %s, want %s", got, want)
	}
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() == 3 })
	if ref := getJob(t, w, name).GetLatestCreatedExecution(); ref.GetCompletionStatus() != runpb.ExecutionReference_EXECUTION_RUNNING {
		t.Errorf("while it runs: %v", ref)
	}
	// An attempt is counted before its process starts.
	w.Eventually("the instances", func() bool { return len(w.Instances.Running()) == 3 })
	w.Instances.Release()
	done := response[*runpb.Execution](t, w.WaitFor(op.GetName()))
	if done.GetSucceededCount() != 3 || done.GetCreator() != "me@example.com" || done.GetEtag() == "" {
		t.Errorf("ended: %v", done)
	}
	job := getJob(t, w, name)
	if job.GetExecutionCount() != 1 || job.GetLatestCreatedExecution().GetCompletionStatus() != runpb.ExecutionReference_EXECUTION_SUCCEEDED || !strings.HasPrefix(job.GetLatestCreatedExecution().GetName(), "hello-") {
		t.Errorf("job: %v", job)
	}
	all := tasks(t, w, x.GetName())
	for i, task := range all {
		if int(task.GetIndex()) != i || task.GetLabels()["run.googleapis.com/runningState"] != "Succeeded" {
			t.Errorf("task %d: %v", i, task)
		}
	}
	if len(all) != 3 {
		t.Errorf("%d tasks", len(all))
	}
	one, err := w.Control.Task(t.Context(), all[1].GetName())
	if err != nil || one.GetIndex() != 1 {
		t.Errorf("task 1: %v, %v", one, err)
	}
}

// contract: JOB-3, JOB-16, JOB-22
func TestFailedExecution(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 2)
	w.Instances.Play(func(spec rruntime.Spec) controltest.Script {
		return controltest.Script{Exit: contract.Exit{Code: 1}}
	})
	x, op := w.Run(name)
	op = w.WaitFor(op.GetName())
	if op.GetError().GetCode() != int32(codes.Aborted) || !strings.Contains(op.GetError().GetMessage(), "failed with exit code: 1") {
		t.Errorf("operation: %v", op)
	}
	if meta, err := op.GetMetadata().UnmarshalNew(); err != nil || meta.(*runpb.Execution).GetFailedCount() != 2 {
		t.Errorf("metadata: %v, %v", meta, err)
	}
	if ref := getJob(t, w, name).GetLatestCreatedExecution(); ref.GetCompletionStatus() != runpb.ExecutionReference_EXECUTION_FAILED {
		t.Errorf("job: %v", ref)
	}
	if getJob(t, w, name).GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Error("a failed execution has made the job unready")
	}
	_, _, err := w.Control.CancelExecution(t.Context(), &runpb.CancelExecutionRequest{Name: x.GetName()})
	fails(t, err, codes.FailedPrecondition, "not running")
}

// contract: JOB-13
func TestTimedOutExecution(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	_, op, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name, Overrides: &runpb.RunJobRequest_Overrides{Timeout: durationpb.New(time.Second)}})
	if err != nil {
		t.Fatal(err)
	}
	if op = w.WaitFor(op.GetName()); op.GetError().GetCode() != int32(codes.DeadlineExceeded) {
		t.Errorf("operation: %v", op)
	}
}

// contract: JOB-11
func TestOverridesHoldForOneExecution(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewJob(1)
	spec.Template.Parallelism = 1
	k := spec.Template.Template.Containers[0]
	k.Args = []string{"a", "b"}
	k.Env = []*runpb.EnvVar{env("A", "1"), env("B", "2")}
	job, op := create(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	before := getJob(t, w, job.GetName())

	run := func(o *runpb.RunJobRequest_Overrides) *runpb.Execution {
		x, _, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: job.GetName(), Overrides: o})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x := run(&runpb.RunJobRequest_Overrides{
		TaskCount: 4,
		Timeout:   durationpb.New(time.Minute),
		ContainerOverrides: []*runpb.RunJobRequest_Overrides_ContainerOverride{{
			Name: "whatever", Args: []string{"c"}, Env: []*runpb.EnvVar{env("B", "3"), env("C", "4")},
		}},
	})
	got := x.GetTemplate().GetContainers()[0]
	if x.GetTaskCount() != 4 || x.GetTemplate().GetTimeout().AsDuration() != time.Minute || fmt.Sprint(got.GetArgs()) != "[c]" {
		t.Errorf("overridden: %v", x)
	}
	if text := fmt.Sprint(got.GetEnv()[0].GetValue(), got.GetEnv()[1].GetValue(), got.GetEnv()[2].GetValue()); text != "134" {
		t.Errorf("env: %v", got.GetEnv())
	}
	x = run(&runpb.RunJobRequest_Overrides{ContainerOverrides: []*runpb.RunJobRequest_Overrides_ContainerOverride{{ClearArgs: true}}})
	if len(x.GetTemplate().GetContainers()[0].GetArgs()) != 0 || x.GetTaskCount() != 1 {
		t.Errorf("cleared: %v", x)
	}
	if after := getJob(t, w, job.GetName()); after.GetEtag() != before.GetEtag() || after.GetTemplate().GetTaskCount() != 1 {
		t.Errorf("the job has changed: %v", after)
	}
}

func env(name, value string) *runpb.EnvVar {
	return &runpb.EnvVar{Name: name, Values: &runpb.EnvVar_Value{Value: value}}
}

// contract: JOB-11
func TestOverridesThatAreWrong(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	for field, o := range map[string]*runpb.RunJobRequest_Overrides{
		"overrides.taskCount": {TaskCount: 10_001},
		"overrides.timeout":   {Timeout: durationpb.New(200 * time.Hour)},
		"overrides.containerOverrides[0].clearArgs": {ContainerOverrides: []*runpb.RunJobRequest_Overrides_ContainerOverride{
			{ClearArgs: true, Args: []string{"x"}},
		}},
		"overrides.containerOverrides[0].env[1].name": {ContainerOverrides: []*runpb.RunJobRequest_Overrides_ContainerOverride{
			{Env: []*runpb.EnvVar{env("A", "1"), env("", "2")}},
		}},
	} {
		_, _, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name, Overrides: o})
		violates(t, err, field)
	}
	_, _, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: parent + "/jobs/none"})
	fails(t, err, codes.NotFound, "'none'")
}

func TestRunValidateOnly(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	x, op, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name, ValidateOnly: true})
	if err != nil || !op.GetDone() {
		t.Fatal(op, err)
	}
	_, err = w.Control.Execution(t.Context(), x.GetName())
	fails(t, err, codes.NotFound, "of kind 'EXECUTION'")
}

func TestJobThatIsTooLargeForTheHost(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Tasks: 1})
	job := controltest.NewJob(1)
	job.Template.Template.Containers[0].Resources = &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "4", "memory": "2Gi"}}
	got, op := create(t, w, "large", job)
	w.WaitFor(op.GetName())
	_, _, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: got.GetName()})
	fails(t, err, codes.FailedPrecondition, "this host offers 1 CPU")
}

// contract: JOB-21
func TestNoMoreExecutionsThanMayRun(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.RunningExecutions = 2 }})
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	_, a := w.Run(name)
	_, b := w.Run(name)
	_, _, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name})
	fails(t, err, codes.ResourceExhausted, "2 executions are running")
	w.Eventually("instances", func() bool { return len(w.Instances.Running()) == 2 })
	w.Instances.Release()
	w.WaitFor(a.GetName())
	w.WaitFor(b.GetName())
	w.Run(name)
}

// contract: JOB-20
func TestOldestEndedExecutionsAreRemoved(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.KeepExecutions = 2 }})
	name := w.Job("hello", 1)
	var names []string
	for range 4 {
		x, op := w.Run(name)
		w.WaitFor(op.GetName())
		names = append(names, x.GetName())
	}
	w.Gone(names[0])
	w.Gone(names[1])
	left, _, err := w.Control.Executions(t.Context(), control.Query[*runpb.Execution]{Parent: name})
	if err != nil || len(left) != 2 || left[0].GetName() != names[3] || left[1].GetName() != names[2] {
		t.Errorf("left: %v, %v", left, err)
	}
	w.Eventually("the count", func() bool { return getJob(t, w, name).GetExecutionCount() == 2 })
}

// contract: JOB-12
func TestCancelExecution(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 10)
	w.Instances.Always(controltest.Script{Hold: true})
	x, run := w.Run(name)
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() == 8 })
	got, op, err := w.Control.CancelExecution(t.Context(), &runpb.CancelExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if c := completed(got); c.GetExecutionReason() != runpb.Condition_CANCELLING || got.GetGeneration() != 2 {
		t.Errorf("at once: %v", got)
	}
	got = response[*runpb.Execution](t, w.WaitFor(op.GetName()))
	if c := completed(got); c.GetExecutionReason() != runpb.Condition_CANCELLED || got.GetCancelledCount() != 10 || got.GetReconciling() {
		t.Errorf("cancelled: %v", got)
	}
	if op = w.WaitFor(run.GetName()); op.GetError() != nil {
		t.Errorf("operation of the run: %v", op)
	}
	if ref := getJob(t, w, name).GetLatestCreatedExecution(); ref.GetCompletionStatus() != runpb.ExecutionReference_EXECUTION_CANCELLED {
		t.Errorf("job: %v", ref)
	}
}

func TestCancelTwiceIsNotAKill(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true, Deaf: true})
	x, _ := w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	for range 2 {
		if _, _, err := w.Control.CancelExecution(t.Context(), &runpb.CancelExecutionRequest{Name: x.GetName()}); err != nil {
			t.Fatal(err)
		}
	}
	w.Instances.End(w.Instances.Running()[0], contract.Exit{Code: 7})
	w.Ended(x.GetName())
	if got := tasks(t, w, x.GetName())[0].GetLastAttemptResult().GetExitCode(); got != 7 {
		t.Errorf("exit code %d: it was not given its time", got)
	}
}

func TestCancelBeforeTheImageIsThere(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Images.Fail(controltest.Image, rimage.ErrUnreachable)
	job, op := create(t, w, "hello", controltest.NewJob(2))
	w.WaitFor(op.GetName())
	w.Images.Hold(controltest.Image)
	x, _ := w.Run(job.GetName())
	_, op, err := w.Control.CancelExecution(t.Context(), &runpb.CancelExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	got := response[*runpb.Execution](t, w.WaitFor(op.GetName()))
	if completed(got).GetExecutionReason() != runpb.Condition_CANCELLED || got.GetCancelledCount() != 2 {
		t.Errorf("got %v", got)
	}
}

func TestExecutionWhoseImageCannotBeHad(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Images.Fail(controltest.Image, rimage.ErrNotFound)
	job, op := create(t, w, "hello", controltest.NewJob(2))
	w.WaitFor(op.GetName())
	x, op := w.Run(job.GetName())
	if op = w.WaitFor(op.GetName()); op.GetError().GetCode() != int32(codes.NotFound) {
		t.Errorf("operation: %v", op)
	}
	if got := w.Ended(x.GetName()); got.GetFailedCount() != 2 || completed(got).GetReason() != runpb.Condition_CONTAINER_MISSING {
		t.Errorf("got %v", got)
	}
	if all := tasks(t, w, x.GetName()); all[1].GetLabels()["run.googleapis.com/runningState"] != "Failed" {
		t.Errorf("task: %v", all[1])
	}
}
