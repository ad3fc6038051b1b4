package control_test

import (
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/contract"
	"runnel/control"
	"runnel/control/controltest"
	rimage "runnel/image"
	rruntime "runnel/runtime"
	"runnel/store"
)

func TestExecutionGoesOnAcrossRestarts(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 20)
	w.Instances.Always(controltest.Script{Hold: true})
	x, op := w.Run(name)
	for range 3 {
		w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() > 0 })
		w.Restart()
		for _, id := range w.Instances.Running() {
			w.Instances.End(id, contract.Exit{})
		}
	}
	w.Instances.Always(controltest.Script{})
	w.Eventually("the end", func() bool {
		w.Instances.Release()
		got, err := w.Control.Execution(t.Context(), x.GetName())
		return err == nil && got.GetCompletionTime() != nil
	})
	got := response[*runpb.Execution](t, w.WaitFor(op.GetName()))
	if got.GetSucceededCount() != 20 || got.GetRetriedCount() != 0 {
		t.Errorf("got %v", got)
	}
	if n := w.Instances.Starts(); n != 20 {
		t.Errorf("%d processes for 20 tasks", n)
	}
}

func TestTasksThatEndWhileNobodyLooks(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 4)
	w.Instances.Always(controltest.Script{Hold: true})
	x, _ := w.Run(name)
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() == 4 })
	w.Eventually("the instances", func() bool { return len(w.Instances.Running()) == 4 })
	w.Stop()
	ids := w.Instances.Running()
	w.Instances.End(ids[0], contract.Exit{Code: 3})
	w.Instances.End(ids[1], contract.Exit{})
	w.Resume()
	w.Execution(x.GetName(), func(x *runpb.Execution) bool {
		return x.GetFailedCount() == 1 && x.GetSucceededCount() == 1 && x.GetRunningCount() == 2
	})
	w.Instances.Release()
	if got := w.Ended(x.GetName()); got.GetSucceededCount() != 3 || got.GetFailedCount() != 1 {
		t.Errorf("got %v", got)
	}
}

// contract: JOB-25
func TestInstancesLostWithTheHostAreRetried(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewJob(2)
	spec.Template.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: 1}
	job, op := create(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	w.Instances.Always(controltest.Script{Hold: true})
	x, _ := w.Run(job.GetName())
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() == 2 })
	w.Stop()
	w.Instances.Lose()
	w.Instances.Always(controltest.Script{})
	w.Images.Lose()
	w.Resume()
	if got := w.Ended(x.GetName()); got.GetSucceededCount() != 2 || got.GetRetriedCount() != 2 {
		t.Errorf("got %v", got)
	}
	if n := w.Images.Imports(); n != 2 {
		t.Errorf("%d imports: the image was to be imported again", n)
	}
}

func TestCancelIsNotForgottenByARestart(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true, Deaf: true})
	x, _ := w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	_, op, err := w.Control.CancelExecution(t.Context(), &runpb.CancelExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	w.Restart()
	if got, err := w.Control.Execution(t.Context(), x.GetName()); err != nil || completed(got).GetExecutionReason() != runpb.Condition_CANCELLING {
		t.Errorf("after the restart: %v, %v", got, err)
	}
	w.Instances.Release()
	w.WaitFor(op.GetName())
}

func TestExecutionWaitsForItsImageAcrossARestart(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Images.Fail(controltest.Image, rimage.ErrUnreachable)
	job, op := create(t, w, "hello", controltest.NewJob(1))
	w.WaitFor(op.GetName())
	w.Images.Fail(controltest.Image, nil)
	release := w.Images.Hold(controltest.Image)
	x, op := w.Run(job.GetName())
	w.Restart()
	release()
	if got := response[*runpb.Execution](t, w.WaitFor(op.GetName())); got.GetSucceededCount() != 1 {
		t.Errorf("got %v", got)
	}
	if got := w.Ended(x.GetName()); got.GetTemplate().GetContainers()[0].GetImage() == controltest.Image {
		t.Errorf("the image's digest is not known: %v", got)
	}
}

func TestEndedExecutionsAndTheirTasksOutliveTheDaemon(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewJob(3)
	spec.Template.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: 1}
	job, op := create(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	w.Instances.Play(func(spec rruntime.Spec) controltest.Script {
		return controltest.Script{Exit: contract.Exit{Code: 5}}
	})
	x, op := w.Run(job.GetName())
	w.WaitFor(op.GetName())
	before, all := w.Ended(x.GetName()), tasks(t, w, x.GetName())
	w.Restart()
	after := w.Ended(x.GetName())
	if before.GetEtag() != after.GetEtag() || after.GetFailedCount() != 3 || getJob(t, w, job.GetName()).GetExecutionCount() != 1 {
		t.Errorf("got %v", after)
	}
	for i, task := range tasks(t, w, x.GetName()) {
		if task.GetLastAttemptResult().GetExitCode() != 5 || task.GetRetried() != 1 || task.GetEtag() != all[i].GetEtag() {
			t.Errorf("task %d: %v", i, task)
		}
	}
	if got := w.WaitFor(op.GetName()); got.GetError().GetCode() != 10 {
		t.Errorf("operation: %v", got)
	}
	list, err := w.Control.Instances(t.Context(), x.GetName())
	if err != nil || list.More || len(list.Tasks) != 3 || len(list.Tasks[2].IDs) != 2 {
		t.Errorf("instances: %v, %v", list, err)
	}
}

func TestDeletionGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true, Deaf: true})
	x, _ := w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	_, op, err := w.Control.DeleteExecution(t.Context(), &runpb.DeleteExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	w.Restart()
	w.Instances.Release()
	w.WaitFor(op.GetName())
	w.Gone(x.GetName())
}

// The daemon may end between any two steps of an execution: after each restart
// it goes on, and no task is counted twice.
func TestRestartsAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Tasks: 4})
	name := w.Job("hello", 30)
	var operations []string
	for range 3 {
		_, op := w.Run(name)
		operations = append(operations, op.GetName())
	}
	for range 15 {
		w.Restart()
	}
	for _, op := range operations {
		if got := response[*runpb.Execution](t, w.WaitFor(op)); got.GetSucceededCount() != 30 {
			t.Errorf("got %v", got)
		}
	}
	all, _, err := w.Control.Executions(t.Context(), control.Query[*runpb.Execution]{Parent: name})
	if err != nil || len(all) != 3 {
		t.Errorf("%d executions, %v", len(all), err)
	}
}

func TestExecutionThatHasLostItsImageForEver(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 3)
	w.Instances.Always(controltest.Script{Hold: true})
	x, op := w.Run(name)
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() == 3 })
	w.Eventually("the instances", func() bool { return len(w.Instances.Running()) == 3 })
	w.Instances.End(w.Instances.Running()[0], contract.Exit{})
	w.Execution(x.GetName(), func(x *runpb.Execution) bool { return x.GetSucceededCount() == 1 })
	w.Stop()
	w.Instances.Lose()
	w.Images.Lose()
	w.Images.Fail(x.GetTemplate().GetContainers()[0].GetImage(), rimage.ErrNotFound)
	w.Resume()
	if got := w.WaitFor(op.GetName()); got.GetError().GetCode() != 5 {
		t.Errorf("operation: %v", got)
	}
	got := w.Ended(x.GetName())
	if got.GetSucceededCount() != 1 || got.GetFailedCount() != 2 || got.GetRunningCount() != 0 || got.GetStartTime() == nil {
		t.Errorf("got %v", got)
	}
	for _, condition := range got.GetConditions() {
		if condition.GetType() == "Started" && condition.GetState() != runpb.Condition_CONDITION_SUCCEEDED {
			t.Errorf("it has started: %v", condition)
		}
	}
	states := map[string]int{}
	for _, task := range tasks(t, w, x.GetName()) {
		states[task.GetLabels()["run.googleapis.com/runningState"]]++
	}
	if states["Succeeded"] != 1 || states["Failed"] != 2 {
		t.Errorf("tasks: %v", states)
	}
}

// What one execution has come to, or an older version has let pass, does not
// keep the daemon from starting; and it comes to its end.
func TestExecutionThatTheSchedulerDoesNotTake(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	x, op := w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	other, _ := w.Run(name)
	w.Eventually("the instances", func() bool { return len(w.Instances.Running()) == 2 })
	err := w.Store().Update(t.Context(), func(tx *store.Tx) error {
		bad := &runpb.Execution{}
		if err := proto.Unmarshal(tx.Get("executions", x.GetName()), bad); err != nil {
			return err
		}
		bad.Template.Containers = append(bad.Template.Containers, bad.Template.Containers[0])
		value, err := proto.Marshal(bad)
		tx.Put("executions", x.GetName(), bad.GetCreateTime().AsTime(), value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Restart()
	if got := w.WaitFor(op.GetName()); got.GetError().GetCode() != 13 {
		t.Errorf("operation: %v", got)
	}
	if got := w.Ended(x.GetName()); got.GetFailedCount() != 1 || got.GetRunningCount() != 0 {
		t.Errorf("got %v", got)
	}
	w.Instances.Release()
	if got := w.Ended(other.GetName()); got.GetSucceededCount() != 1 {
		t.Errorf("the other one: %v", got)
	}
}
