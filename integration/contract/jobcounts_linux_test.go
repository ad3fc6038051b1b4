package contract

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/integration/rig"
)

// serveWith starts a daemon with a configuration of its own.
func serveWith(t *testing.T, d *rig.Daemon, config string) *rig.Daemon {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return d.Host.Serve("--config", file)
}

// contract: JOB-20
func TestJOB20OldestEndedExecutionsGo(t *testing.T) {
	d := serveWith(t, daemon(t), "executions: {keep: 2}\n")
	j := newJob(t, d, `trap 'exit 5' TERM; echo up; sleep 1000 & wait`)
	first := j.begin() // it does not end, so it does not count
	j.prints("up", 1)
	d.CLI("jobs", "update", j.name, "--args", "exit 0").Exits(0)
	var ended []string
	for range 4 {
		ended = append(ended, path.Base(j.run().GetName()))
	}
	want := []string{ended[3], ended[2], first}
	d.Eventually("the oldest are gone", func() bool { return len(j.history()) == len(want) || later(func() {}) })
	if got := j.history(); !slices.Equal(got, want) {
		t.Errorf("left are %v of %v, want %v", got, append(ended, first), want)
	}
	d.CLI("jobs", "executions", "cancel", first, "--quiet").Exits(0)
	d.Eventually("it goes as the oldest, now that it has ended", func() bool { return len(j.history()) == 2 || later(func() {}) })
	if got := j.history(); !slices.Equal(got, want[:2]) {
		t.Errorf("left are %v, want %v", got, want[:2])
	}
}

// contract: JOB-21
func TestJOB21BoundedExecutionsRunAtOnce(t *testing.T) {
	d := serveWith(t, daemon(t), "executions: {running: 2}\n")
	j := newJob(t, d, `trap 'exit 5' TERM; echo up; sleep 1000 & wait`)
	first := j.begin()
	j.begin()
	j.prints("up", 2)
	_, err := j.jobs.RunJob(j.ctx, &runpb.RunJobRequest{Name: jobParent + j.name})
	if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "2 executions are running") {
		t.Errorf("the third: %v", err)
	}
	d.CLI("jobs", "execute", j.name).Exits(1).Shows("too many executions run already")
	j.cancel(first)
	j.begin()
	j.prints("up", 3)
	if got := len(j.history()); got != 3 {
		t.Errorf("%d executions have come to be, want 3", got)
	}
}

// contract: JOB-23
func TestJOB23TokenRunsTheJobAsItIsDeployed(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `trap 'exit 5' TERM; echo up; sleep 1000 & wait`)
	deploy := func(change func(*runpb.Job)) (*runpb.Job, error) {
		want := j.seen()
		change(want)
		op, err := j.jobs.UpdateJob(j.ctx, &runpb.UpdateJobRequest{Job: want})
		if err != nil {
			return nil, err
		}
		return op.Wait(j.ctx)
	}
	start := func(token string) func(*runpb.Job) {
		return func(want *runpb.Job) {
			want.CreateExecution = &runpb.Job_StartExecutionToken{StartExecutionToken: token}
		}
	}
	got, err := deploy(start("one"))
	if err != nil || got.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || got.GetLatestCreatedExecution().GetName() != j.name+"-one" {
		t.Fatalf("with startExecutionToken: %v, %v", got, err)
	}
	if x := j.execution(j.name + "-one"); x.GetStartTime() == nil || x.GetCompletionTime() != nil {
		t.Errorf("when the job is ready its execution is %v", x)
	}
	j.prints("up", 1)
	j.cancel(j.name + "-one")
	got, err = deploy(func(want *runpb.Job) {
		want.Template.Template.Containers[0].Args = []string{"sleep 1"}
		want.CreateExecution = &runpb.Job_RunExecutionToken{RunExecutionToken: "two"}
	})
	if err != nil || got.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || got.GetExecutionCount() != 2 {
		t.Errorf("with runExecutionToken: %v, %v", got, err)
	}
	if x := j.execution(j.name + "-two"); x.GetSucceededCount() != 1 || x.GetCompletionTime() == nil {
		t.Errorf("when the job is ready its execution is %v", x)
	}
	_, err = deploy(func(want *runpb.Job) {
		want.Template.Template.Containers[0].Args = []string{"exit 1"}
		want.Template.Template.Retries = &runpb.TaskTemplate_MaxRetries{}
		want.CreateExecution = &runpb.Job_RunExecutionToken{RunExecutionToken: "three"}
	})
	if err == nil || !strings.Contains(err.Error(), j.name+"-three") || j.seen().GetTerminalCondition().GetState() != runpb.Condition_CONDITION_FAILED {
		t.Errorf("with an execution that fails: %v, %v", j.seen(), err)
	}
	if got, err = deploy(start("two")); err != nil || got.GetExecutionCount() != 3 {
		t.Errorf("a token that was used: %v, %v", got, err)
	}
	if _, err = deploy(start(strings.Repeat("x", 62-len(j.name)))); err != nil {
		t.Errorf("62 characters together: %v", err)
	}
	if _, err = deploy(start(strings.Repeat("x", 63-len(j.name)))); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "startExecutionToken") {
		t.Errorf("63 characters together: %v", err)
	}
}

// contract: JOB-25
func TestJOB25LostTaskIsTriedAgain(t *testing.T) {
	d := daemon(t).Host.Serve()
	j := newJob(t, d, `echo attempt $CLOUD_RUN_TASK_ATTEMPT; [ $CLOUD_RUN_TASK_ATTEMPT = 1 ] || sleep 1000`, "--max-retries", "1")
	last := newJobAs(t, d, nameOf(t, "last"), `echo attempt $CLOUD_RUN_TASK_ATTEMPT; sleep 1000`, "--max-retries", "0")
	x, y := j.begin(), last.begin()
	j.prints("attempt 0", 1)
	last.prints("attempt 0", 1)
	d.Host.Kill(shimOf(t, d))
	if got := j.ended(x); got.GetSucceededCount() != 1 || got.GetRetriedCount() != 1 || j.logs() != "attempt 0\nattempt 1\n" {
		t.Errorf("with a retry: %v\n%s", got, j.logs())
	}
	if got := last.ended(y); got.GetFailedCount() != 1 || last.logs() != "attempt 0\n" {
		t.Errorf("without retries: %v\n%s", got, last.logs())
	}
}

// contract: JOB-29
func TestJOB29ScheduleRunsTheJobByTheClock(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, "echo hello")
	begun := time.Now()
	d.CLI("jobs", "schedule", j.name, "* * * * *").Exits(0)
	d.Eventually("the clock runs the job", func() bool { return len(j.history()) > 0 || later(func() {}) })
	d.CLI("schedules", "delete", j.name, "--quiet").Exits(0)
	x := j.ended(j.history()[0])
	at := x.GetCreateTime().AsTime()
	if tick := at.Truncate(time.Minute); tick.Before(begun) || at.Sub(tick) > 30*time.Second {
		t.Errorf("scheduled at %v, it runs at %v", begun, at)
	}
	if x.GetSucceededCount() != 1 || j.logs() != "hello\n" {
		t.Errorf("it ends as %v\n%s", x, j.logs())
	}
}
