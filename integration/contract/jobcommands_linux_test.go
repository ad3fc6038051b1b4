package contract

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// contract: JOB-10
func TestJOB10ExecuteReturnsWhenTheExecutionHasBegun(t *testing.T) {
	d := daemon(t)
	server, gate := imagetest.Serve(t), make(chan struct{})
	imagetest.Push(t, imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: rig.ShellConfig()}, server.Host+"/app:1")
	server.Intercept(func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		<-gate
		registry.ServeHTTP(w, r)
	})
	deletesJob(t, d, nameOf(t))
	// While the image is on its way nothing can begin.
	d.CLI("jobs", "create", nameOf(t), "--image", server.Host+"/app:1", "--args", `trap 'exit 5' TERM; echo up; sleep 1000 & wait`,
		"--cpu", "0.1", "--memory", "128Mi", "--async").Exits(0)
	j := jobCalled(t, d, nameOf(t))
	d.CLI("jobs", "execute", j.name, "--async").Exits(0).Shows("is being started asynchronously")
	if x := j.execution(j.history()[0]); x.GetStartTime() != nil {
		t.Errorf("after --async: %v", x)
	}
	plain := d.Host.StartWith(d.Lead, "jobs", "execute", j.name)
	d.Eventually("there are two executions", func() bool { return len(j.history()) == 2 })
	if plain.Ended() {
		t.Error("the command has returned before the execution has begun")
	}
	close(gate)
	plain.Wait().Exits(0).Shows("has successfully started running")
	for _, name := range j.history() {
		j.until(name, "it begins", func(x *runpb.Execution) bool { return x.GetStartTime() != nil })
		if x := j.execution(name); x.GetCompletionTime() != nil {
			t.Errorf("it has ended: %v", x)
		}
	}
	d.CLI("jobs", "delete", j.name, "--quiet").Exits(0)
}

// contract: JOB-10
func TestJOB10WaitTellsTheResult(t *testing.T) {
	d := daemon(t)
	j := newJobAs(t, d, nameOf(t, "wait"), `sleep 1; [ $CLOUD_RUN_TASK_INDEX = 0 ]`, "--max-retries", "0", "--execute-now", "--wait")
	if x := j.execution(j.history()[0]); len(j.history()) != 1 || x.GetSucceededCount() != 1 || x.GetCompletionTime() == nil {
		t.Errorf("executed at deployment: %v", x)
	}
	d.CLI("jobs", "execute", j.name, "--wait").Exits(0).Shows("has successfully completed")
	d.CLI("jobs", "execute", j.name, "--wait", "--tasks", "2").Exits(1).Shows("The execution failed.")
	for _, name := range j.history() {
		if j.execution(name).GetCompletionTime() == nil {
			t.Errorf("%s has not ended, and was waited for", name)
		}
	}
	d.CLI("jobs", "update", j.name, "--args", "exit 1", "--execute-now", "--wait").Exits(1)
	d.CLI("jobs", "update", j.name, "--task-timeout", "60").Exits(0)
	if got := len(j.history()); got != 4 {
		t.Errorf("%d executions, want 4: an update by itself executes nothing", got)
	}
}

// contract: JOB-11
func TestJOB11OverridesHoldForOneExecution(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `echo $A$B; sleep 1000`, "--set-env-vars", "A=1,B=2")
	before := j.export()
	d.CLI("jobs", "execute", j.name, "--wait", "--args", `^:^echo $A$B$C of $CLOUD_RUN_TASK_COUNT`,
		"--update-env-vars", "B=3,C=4", "--tasks", "2", "--task-timeout", "77").Exits(0)
	if got, want := j.logs(), "134 of 2\n134 of 2\n"; got != want {
		t.Errorf("the tasks print %q, want %q", got, want)
	}
	if x := j.execution(j.history()[0]); x.GetTaskCount() != 2 || x.GetTemplate().GetTimeout().GetSeconds() != 77 {
		t.Errorf("the execution is %v", x)
	}
	if after := j.export(); after != before {
		t.Errorf("the job was\n%sand is\n%s", before, after)
	}
}

// contract: JOB-27
func TestJOB27UpdateKeepsWhatIsNotNamed(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, "echo hello", "--set-env-vars", "A=1,B=2", "--tasks", "3", "--parallelism", "2", "--max-retries", "1",
		"--task-timeout", "77", "--labels", "team=data", "--service-account", "me@example.com", "--command", "/bin/sh,-c")
	before := strings.Split(j.export(), "\n")
	for _, c := range []struct{ flag, value, line, now string }{
		{"--max-retries", "2", "maxRetries: 1", "maxRetries: 2"},
		{"--memory", "256Mi", "memory: 128Mi", "memory: 256Mi"},
		{"--update-env-vars", "B=3", "value: '2'", "value: '3'"},
		{"--tasks", "4", "taskCount: 3", "taskCount: 4"},
	} {
		d.CLI("jobs", "update", j.name, c.flag, c.value).Exits(0)
		after := strings.Split(j.export(), "\n")
		if len(after) != len(before) {
			t.Fatalf("%s: the job has %d lines, and had %d\n%s", c.flag, len(after), len(before), strings.Join(after, "\n"))
		}
		for i := range after {
			if after[i] != before[i] && (strings.TrimSpace(before[i]) != c.line || strings.TrimSpace(after[i]) != c.now) {
				t.Errorf("%s changes %q to %q", c.flag, before[i], after[i])
			}
		}
		if !strings.Contains(strings.Join(after, "\n"), c.now) {
			t.Errorf("%s does not make it %q", c.flag, c.now)
		}
		before = after
	}
}

// contract: JOB-28
func TestJOB28ExportAndReplaceGiveTheSameJob(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, "echo hello; echo again", "--set-env-vars", "A=1", "--tasks", "2", "--max-retries", "0", "--labels", "team=data")
	text := j.export()
	if !strings.HasPrefix(text, "apiVersion: run.googleapis.com/v1\nkind: Job\n") {
		t.Errorf("the file begins %.60q", text)
	}
	file := filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.CLI("jobs", "replace", file).Exits(0)
	if again := j.export(); again != text || j.seen().GetGeneration() != 1 {
		t.Errorf("replaced by itself in generation %d the job is\n%sand was\n%s", j.seen().GetGeneration(), again, text)
	}
	d.CLI("jobs", "delete", j.name, "--quiet").Exits(0)
	d.CLI("jobs", "replace", file).Exits(0)
	if again := j.export(); again != text {
		t.Errorf("made anew the job is\n%sand was\n%s", again, text)
	}
	if x := j.run(); x.GetSucceededCount() != 2 {
		t.Errorf("it ends as %v", x)
	}
}

// contract: JOB-30
func TestJOB30DeletingAJobEndsWhatRuns(t *testing.T) {
	d := daemon(t)
	long := manySeconds()
	j := newJob(t, d, `trap 'exit 5' TERM; echo up; sleep `+long+` & wait`, "--tasks", "2")
	x := j.begin()
	j.prints("up", 2)
	d.Eventually("both sleep", func() bool { return len(rig.ProcessesCalled("sleep\x00"+long+"\x00")) == 2 })
	d.CLI("jobs", "delete", j.name).Exits(2).Shows("It is being executed", "--quiet")
	j.seen()
	d.CLI("jobs", "delete", j.name, "--quiet").Exits(0)
	_, job := j.jobs.GetJob(j.ctx, &runpb.GetJobRequest{Name: jobParent + j.name})
	_, execution := j.executions.GetExecution(j.ctx, &runpb.GetExecutionRequest{Name: jobParent + j.name + "/executions/" + x})
	_, task := j.tasks.GetTask(j.ctx, &runpb.GetTaskRequest{Name: jobParent + j.name + "/executions/" + x + "/tasks/" + x + "-task0"})
	for kind, err := range map[string]error{"job": job, "execution": execution, "task": task} {
		if status.Code(err) != codes.NotFound {
			t.Errorf("the %s: %v, want that it is not found", kind, err)
		}
	}
	if n := len(rig.ProcessesCalled("sleep\x00" + long + "\x00")); n != 0 {
		t.Errorf("%d processes of the tasks are left", n)
	}
}
