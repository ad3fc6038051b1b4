package control_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/control/controltest"
)

func startToken(token string) *runpb.Job {
	job := controltest.NewJob(1)
	job.CreateExecution = &runpb.Job_StartExecutionToken{StartExecutionToken: token}
	return job
}

func runToken(token string) *runpb.Job {
	job := controltest.NewJob(1)
	job.CreateExecution = &runpb.Job_RunExecutionToken{RunExecutionToken: token}
	return job
}

// update sends job as the one called name and returns it when it is ready, or
// not.
func update(t *testing.T, w *controltest.World, name string, job *runpb.Job) *runpb.Job {
	t.Helper()
	job.Name = name
	_, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: job})
	if err != nil {
		t.Fatalf("update %s: %v", name, err)
	}
	w.WaitFor(op.GetName())
	return getJob(t, w, name)
}

// contract: JOB-23
func TestStartExecutionToken(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Instances.Always(controltest.Script{Hold: true})
	job, op := create(t, w, "hello", startToken("one"))
	got := response[*runpb.Job](t, w.WaitFor(op.GetName()))
	if got.GetExecutionCount() != 1 || got.GetLatestCreatedExecution().GetName() != "hello-one" || got.GetStartExecutionToken() != "one" {
		t.Errorf("created: %v", got)
	}
	w.Execution(job.GetName()+"/executions/hello-one", func(x *runpb.Execution) bool { return x.GetRunningCount() == 1 })
	if got = update(t, w, job.GetName(), startToken("one")); got.GetExecutionCount() != 1 || got.GetGeneration() != 1 {
		t.Errorf("the same token again: %v", got)
	}
	w.Restart()
	if got = update(t, w, job.GetName(), startToken("two")); got.GetExecutionCount() != 2 || got.GetLatestCreatedExecution().GetName() != "hello-two" {
		t.Errorf("another token: %v", got)
	}
	if got = update(t, w, job.GetName(), startToken("one")); got.GetExecutionCount() != 2 {
		t.Errorf("an earlier token: %v", got)
	}
	_, op, err := w.Control.DeleteExecution(t.Context(), &runpb.DeleteExecutionRequest{Name: job.GetName() + "/executions/hello-one"})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	if got = update(t, w, job.GetName(), startToken("one")); got.GetExecutionCount() != 1 || got.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Errorf("the token of an execution that was deleted: %v", got)
	}
}

// contract: JOB-23
func TestRunExecutionToken(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Instances.Always(controltest.Script{Hold: true})
	job, op := create(t, w, "hello", runToken("one"))
	name := job.GetName() + "/executions/hello-one"
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	if !getJob(t, w, job.GetName()).GetReconciling() {
		t.Error("ready before the execution has succeeded")
	}
	w.Restart()
	w.Instances.Release()
	w.WaitFor(op.GetName())
	if got := w.Ended(name); got.GetSucceededCount() != 1 {
		t.Errorf("got %v", got)
	}
	w.Instances.Always(controltest.Script{Exit: contract.Exit{Code: 1}})
	got := update(t, w, job.GetName(), runToken("two"))
	if c := got.GetTerminalCondition(); c.GetState() != runpb.Condition_CONDITION_FAILED || !strings.Contains(c.GetMessage(), "hello-two") {
		t.Errorf("an execution that fails: %v", got)
	}
}
