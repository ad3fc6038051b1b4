package control_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
	"runnel/control/controltest"
)

// A daemon that is killed between any two commits, and its host with it, goes on
// with every verb that was under way: what was begun comes to its end.
func TestCrashInTheMiddleOfEveryVerb(t *testing.T) {
	t.Parallel()
	settlesFrom(t, statesWhile(t, everyVerb), unsettled)
}

// settlesFrom checks that control planes which begin with the states settle.
func settlesFrom(t *testing.T, states [][]byte, unsettled func(*testing.T, *controltest.World) string) {
	t.Helper()
	for i, state := range states {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := controltest.Start(t, controltest.Options{State: state})
			for range 2 {
				var last string
				w.Eventually("everything to be settled", func() bool {
					why := unsettled(t, w)
					if why != last {
						t.Log(why)
					}
					last = why
					return why == ""
				})
				w.Restart()
			}
		})
	}
}

// statesWhile are states of the disk, one after the other, while something is
// done.
func statesWhile(t *testing.T, do func(*testing.T, *controltest.World)) (states [][]byte) {
	t.Helper()
	return statesOf(t, controltest.Options{}, do)
}

// statesOf is statesWhile in a world with options.
func statesOf(t *testing.T, options controltest.Options, do func(*testing.T, *controltest.World)) (states [][]byte) {
	t.Helper()
	w := controltest.Start(t, options)
	over, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		var last []byte
		for {
			state, err := w.State()
			if err != nil {
				t.Error(err)
				return
			}
			if !bytes.Equal(state, last) {
				states, last = append(states, state), state
			}
			select {
			case <-over:
				return
			default:
			}
		}
	}()
	do(t, w)
	close(over)
	<-stopped
	t.Logf("%d states", len(states))
	return states
}

// everyVerb changes jobs and executions in each way there is.
func everyVerb(t *testing.T, w *controltest.World) {
	t.Helper()
	ctx := t.Context()
	w.Instances.Always(controltest.Script{Runs: 5 * time.Millisecond})
	spec := controltest.NewJob(3)
	spec.CreateExecution = &runpb.Job_StartExecutionToken{StartExecutionToken: "first"}
	job, op := create(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	name := job.GetName()
	if _, err := w.Control.SetPolicy(ctx, name, &iampb.Policy{}, nil); err != nil {
		t.Fatal(err)
	}
	w.Images.Push(controltest.Image)
	spec.Name, spec.Labels = name, map[string]string{"a": "b"}
	spec.CreateExecution = &runpb.Job_RunExecutionToken{RunExecutionToken: "second"}
	_, op, err := w.Control.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: spec})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())

	w.Instances.Always(controltest.Script{Hold: true})
	cancelled, _ := w.Run(name)
	deleted, _ := w.Run(name)
	w.Execution(cancelled.GetName(), func(x *runpb.Execution) bool { return x.GetRunningCount() > 0 })
	if _, op, err = w.Control.CancelExecution(ctx, &runpb.CancelExecutionRequest{Name: cancelled.GetName()}); err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	if _, op, err = w.Control.DeleteExecution(ctx, &runpb.DeleteExecutionRequest{Name: deleted.GetName()}); err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Run(name)
	if _, op, err = w.Control.DeleteJob(ctx, &runpb.DeleteJobRequest{Name: name}); err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
}

// unsettled says what is still under way, or left of what was to be removed.
func unsettled(t *testing.T, w *controltest.World) string {
	t.Helper()
	if n := len(listOperations(t, w, "done:false", 100)); n > 0 {
		return fmt.Sprint(n, " operations")
	}
	jobs, _, err := w.Control.Jobs(t.Context(), control.Query[*runpb.Job]{Parent: parent})
	if err != nil {
		t.Fatal(err)
	}
	all := executionsOf(t, w, parent+"/jobs/-")
	for _, job := range jobs {
		if job.GetReconciling() || job.GetDeleteTime() != nil || int(job.GetExecutionCount()) != len(all) {
			return fmt.Sprintf("job %v, %d executions", job, len(all))
		}
	}
	if len(jobs) == 0 && len(all) > 0 {
		return fmt.Sprint(len(all), " executions of no job")
	}
	for _, x := range all {
		counted := x.GetSucceededCount() + x.GetFailedCount() + x.GetCancelledCount()
		if x.GetCompletionTime() == nil || x.GetDeleteTime() != nil || counted != x.GetTaskCount() {
			return fmt.Sprint("execution ", x)
		}
		for _, task := range tasks(t, w, x.GetName()) {
			if task.GetCompletionTime() == nil {
				return fmt.Sprint("task ", task)
			}
		}
	}
	if left := w.Instances.Left(); len(left) > 0 {
		return fmt.Sprint("instances ", left)
	}
	return ""
}
