package contract

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/iterator"

	"runnel/integration/rig"
)

// jobParent is where jobs are that are made without a word about it.
const jobParent = here + "/jobs/"

// job is a job called after its test, looked at with Google's client for Go.
type job struct {
	t    *testing.T
	d    *rig.Daemon
	ctx  context.Context
	name string

	jobs       *run.JobsClient
	executions *run.ExecutionsClient
	tasks      *run.TasksClient
}

// jobCalled is the job called name.
func jobCalled(t *testing.T, d *rig.Daemon, name string) job {
	t.Helper()
	ctx := d.Host.Limit(3 * rig.Patience())
	return job{t, d, ctx, name, d.Jobs(ctx), d.Executions(ctx), d.Tasks(ctx)}
}

// newJob makes a job of a script, with little CPU and memory unless flags say
// otherwise.
func newJob(t *testing.T, d *rig.Daemon, script string, flags ...string) job {
	t.Helper()
	return newJobAs(t, d, nameOf(t), script, flags...)
}

// newJobAs is newJob for a test that has several.
func newJobAs(t *testing.T, d *rig.Daemon, name, script string, flags ...string) job {
	t.Helper()
	deletesJob(t, d, name)
	args := append([]string{"jobs", "create", name, "--cpu", "0.1", "--memory", "128Mi"}, d.Host.Script(script)...)
	d.CLI(append(args, flags...)...).Exits(0)
	return jobCalled(t, d, name)
}

// deletesJob has a job deleted when the test ends, for when it runs again. It may
// have been before.
func deletesJob(t testing.TB, d *rig.Daemon, name string) {
	t.Helper()
	client := d.HTTPClient()
	ask := func(method string) int {
		r, err := http.NewRequest(method, "http://daemon/v2/"+jobParent+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		return rig.Do(client, r).Code
	}
	t.Cleanup(func() {
		defer client.CloseIdleConnections()
		ask(http.MethodDelete)
		gone := false
		d.Eventually("the job is deleted", func() bool {
			return gone || later(func() { gone = ask(http.MethodGet) == http.StatusNotFound })
		})
	})
}

// seen is the job as it stands.
func (j job) seen() *runpb.Job {
	j.t.Helper()
	got, err := j.jobs.GetJob(j.ctx, &runpb.GetJobRequest{Name: jobParent + j.name})
	if err != nil {
		j.t.Fatal(err)
	}
	return got
}

// begin begins an execution and gives its short name.
func (j job) begin() string {
	j.t.Helper()
	op, err := j.jobs.RunJob(j.ctx, &runpb.RunJobRequest{Name: jobParent + j.name})
	if err != nil {
		j.t.Fatal(err)
	}
	x, err := op.Metadata()
	if err != nil {
		j.t.Fatal(err)
	}
	return path.Base(x.GetName())
}

// execution is an execution as it stands.
func (j job) execution(name string) *runpb.Execution {
	j.t.Helper()
	x, err := j.executions.GetExecution(j.ctx, &runpb.GetExecutionRequest{Name: jobParent + j.name + "/executions/" + name})
	if err != nil {
		j.t.Fatal(err)
	}
	return x
}

// until waits for an execution to be as wanted.
func (j job) until(name, what string, wanted func(x *runpb.Execution) bool) *runpb.Execution {
	j.t.Helper()
	x := j.execution(name)
	j.d.Eventually(what, func() bool { return wanted(x) || later(func() { x = j.execution(name) }) })
	return x
}

// later looks again, a moment later: asking all the time is not for free. It
// tells that nothing is known yet.
func later(look func()) bool {
	<-time.After(50 * time.Millisecond)
	look()
	return false
}

// prints waits until tasks have printed a line n times.
func (j job) prints(line string, n int) {
	j.t.Helper()
	var log string
	j.d.Eventually("the tasks print "+line, func() bool {
		return strings.Count(log, line+"\n") == n || later(func() { log = j.logs() })
	})
}

// ended waits for an execution to end.
func (j job) ended(name string) *runpb.Execution {
	j.t.Helper()
	return j.until(name, "the execution ends", func(x *runpb.Execution) bool { return x.GetCompletionTime() != nil })
}

// run executes the job to its end, good or bad.
func (j job) run() *runpb.Execution {
	j.t.Helper()
	return j.ended(j.begin())
}

// history is the names of the executions that there are, the latest first.
func (j job) history() (names []string) {
	j.t.Helper()
	all := j.executions.ListExecutions(j.ctx, &runpb.ListExecutionsRequest{Parent: jobParent + j.name})
	for {
		x, err := all.Next()
		if errors.Is(err, iterator.Done) {
			return names
		}
		if err != nil {
			j.t.Fatal(err)
		}
		names = append(names, path.Base(x.GetName()))
	}
}

// tasksOf are the tasks of an execution, by index.
func (j job) tasksOf(execution string) (tasks []*runpb.Task) {
	j.t.Helper()
	all := j.tasks.ListTasks(j.ctx, &runpb.ListTasksRequest{Parent: jobParent + j.name + "/executions/" + execution})
	for {
		task, err := all.Next()
		if errors.Is(err, iterator.Done) {
			slices.SortFunc(tasks, func(a, b *runpb.Task) int { return int(a.GetIndex() - b.GetIndex()) })
			return tasks
		}
		if err != nil {
			j.t.Fatal(err)
		}
		tasks = append(tasks, task)
	}
}

// states are those of an execution's tasks, by index.
func (j job) states(execution string) (states []string) {
	j.t.Helper()
	for _, task := range j.tasksOf(execution) {
		states = append(states, task.GetLabels()["run.googleapis.com/runningState"])
	}
	return states
}

// logs is what the tasks of all executions have printed, with --system also what
// there is to say about them.
func (j job) logs(flags ...string) string {
	j.t.Helper()
	args := []string{"jobs", "logs", j.name, "--format", "value(textPayload)"}
	return j.d.CLI(append(args, flags...)...).Exits(0).Stdout
}

// cancel cancels an execution and waits for its end.
func (j job) cancel(execution string) *runpb.Execution {
	j.t.Helper()
	j.d.CLI("jobs", "executions", "cancel", execution, "--quiet").Exits(0)
	return j.ended(execution)
}

// condition is one of an execution's or a task's, by its type.
func condition(all []*runpb.Condition, kind string) *runpb.Condition {
	for _, c := range all {
		if c.GetType() == kind {
			return c
		}
	}
	return nil
}

// show is one value of the job's, by the command line.
func (j job) show(key string) string {
	j.t.Helper()
	return j.d.CLI("jobs", "describe", j.name, "--format", "value("+key+")").Exits(0).Stdout
}

// export is the job as a file.
func (j job) export() string {
	j.t.Helper()
	return j.d.CLI("jobs", "describe", j.name, "--format", "export").Exits(0).Stdout
}
