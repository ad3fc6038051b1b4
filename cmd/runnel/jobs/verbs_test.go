package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
)

// steady replaces what differs from run to run.
func steady(s string) string {
	s = regexp.MustCompile(`\b(etl|hello)-[a-z0-9]{5}\b`).ReplaceAllString(s, "$1-xxxxx")
	s = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)`).ReplaceAllString(s, "<time>")
	return s
}

// contract: CLI-2, CLI-8, CLI-9, JOB-10
func TestSuccessTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ line, want string }{
		{"create etl --image busybox", `Creating Cloud Run job [etl] in project [local] region [us-central1]
Creating job...
Done.
Job [etl] has successfully been created.

To execute this job, use:
runnel jobs execute etl
`},
		{"update etl --tasks 2 --async", `Updating Cloud Run job [etl] in project [local] region [us-central1]
Job [etl] is being updated asynchronously.

To execute this job, use:
runnel jobs execute etl
`},
		{"deploy etl --image busybox --execute-now", `Deploying container to Cloud Run job [etl] in project [local] region [us-central1]
Updating and running job...
Provisioning resources... done
Done.
Job [etl] has successfully been deployed and started running execution [etl-xxxxx].

View details about this execution by running:
runnel jobs executions describe etl-xxxxx

To execute this job again, use:
runnel jobs execute etl
`},
		{"deploy hello --image busybox --wait", `Deploying container to Cloud Run job [hello] in project [local] region [us-central1]
Creating and running job...
Provisioning resources... done
Starting execution... done
Running execution... done (1 / 1 complete)
Done.
Job [hello] has successfully been deployed and completed execution [hello-xxxxx].

View details about this execution by running:
runnel jobs executions describe hello-xxxxx

To execute this job again, use:
runnel jobs execute hello
`},
		{"execute etl --async", `Execution [etl-xxxxx] is being started asynchronously.

View details about this execution by running:
runnel jobs executions describe etl-xxxxx
`},
		{"execute etl", `Creating execution...
Provisioning resources... done
Done.
Execution [etl-xxxxx] has successfully started running.

View details about this execution by running:
runnel jobs executions describe etl-xxxxx
`},
		{"execute etl --wait", `Creating execution...
Provisioning resources... done
Starting execution... done
Running execution... done (2 / 2 complete)
Done.
Execution [etl-xxxxx] has successfully completed.

View details about this execution by running:
runnel jobs executions describe etl-xxxxx
`},
		{"delete hello --quiet", "Deleting [hello]...\nDone.\nDeleted job [hello].\n"},
		{"delete etl -q --async", "Job [etl] is being deleted.\n"},
	} {
		got := w.do(c.line)
		if got.Code != 0 || steady(got.Stderr) != c.want || got.Stdout != "" {
			t.Errorf("runnel jobs %s: exit %d, stdout %q\n%swant\n%s", c.line, got.Code, got.Stdout, steady(got.Stderr), c.want)
		}
	}
}

// contract: JOB-10, CLI-9
func TestWaitForAnExecutionThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox --max-retries 0")
	w.fail(3)
	got := w.do("execute etl --wait")
	want := `Creating execution...
Provisioning resources... done
Starting execution... done
Running execution... failed (0 / 1 complete, 1 failed)
Executing job failed
The execution failed.
Task etl-xxxxx-task0 failed with exit code: 3 and message: The container exited with an error.

View details about this execution by running:
runnel jobs executions describe etl-xxxxx

See what it printed by running:
runnel jobs executions logs etl-xxxxx
`
	if got.Code != 1 || steady(got.Stderr) != want {
		t.Errorf("exit %d\n%swant\n%s", got.Code, steady(got.Stderr), want)
	}
	if got := w.do("execute etl"); got.Code != 0 {
		t.Errorf("an execution that started: exit %d\n%s", got.Code, got.Stderr)
	}
}

func TestImageThatCannotBeHad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Images.Fail("nosuch", errors.New("no such image"))
	got := w.do("create etl --image nosuch")
	if got.Code != 1 || !strings.Contains(got.Stderr, "Job failed to deploy\n") || !strings.Contains(got.Stderr, "no such image") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	if out := w.must("list"); !strings.Contains(out, "X  etl") {
		t.Errorf("the list:\n%s", out)
	}
}

// What a signal ends is the command, not the execution.
func TestInterruptedWaitLeavesTheExecution(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox")
	w.hang()
	signals := make(chan os.Signal, 1)
	done := make(chan clitest.Outcome)
	var said clitest.Transcript
	go func() { done <- w.in(cli.Env{Signals: signals, Stderr: &said}, "execute", "etl", "--wait") }()
	w.Until("a start that the command knows of", func() bool { return strings.Contains(said.String(), "Starting execution... done") })
	signals <- syscall.SIGINT
	got := <-done
	got.Stderr = said.String()
	name := w.latest("etl")
	if got.Code != 130 || !strings.HasSuffix(got.Stderr, "Aborted.\nExecution ["+name+"] goes on without this command.\n\nTo see how it is doing, use:\nrunnel jobs executions describe "+name+"\n\nTo cancel it, use:\nrunnel jobs executions cancel "+name+"\n") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	if len(w.Instances.Running()) != 1 {
		t.Error("the execution was ended")
	}
	got = w.do("executions cancel " + name + " --quiet")
	if want := "Cancelling [" + name + "]...\nDone.\nCancelled execution [" + name + "].\n"; got.Code != 0 || got.Stderr != want {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	if got := w.do("executions cancel " + name + " --quiet"); got.Code != 1 || !strings.Contains(got.Stderr, name) {
		t.Errorf("cancelled twice: exit %d\n%s", got.Code, got.Stderr)
	}
	if got := w.do("executions delete " + name + " --quiet"); got.Code != 0 || !strings.HasSuffix(got.Stderr, "Deleted execution ["+name+"].\n") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}

// contract: JOB-30, CLI-10
func TestConfirmation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox")
	const unattended = "runnel jobs delete: Job [etl] will be deleted. Nobody is here to confirm that: add --quiet to go ahead\n"
	if got := w.do("delete etl"); got.Code != 2 || got.Stderr != unattended {
		t.Errorf("unattended: exit %d\n%s", got.Code, got.Stderr)
	}
	for answer, code := range map[string]int{"n\n": 1, "no": 1, "": 1, "what\n": 1} {
		got := w.in(cli.Env{Attended: true, Stdin: strings.NewReader(answer)}, "delete", "etl")
		if got.Code != code || !strings.HasPrefix(got.Stderr, "Job [etl] will be deleted.\n\nDo you want to continue (Y/n)?  ") || !strings.HasSuffix(got.Stderr, "Aborted by user.\n") {
			t.Errorf("%q: exit %d\n%s", answer, got.Code, got.Stderr)
		}
	}
	w.hang()
	w.must("execute etl")
	name := w.latest("etl")
	got := w.in(cli.Env{Attended: true, Stdin: strings.NewReader("n\n")}, "executions", "delete", name)
	if got.Code != 1 || !strings.Contains(got.Stderr, "Execution ["+name+"] will be deleted.") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	got = w.in(cli.Env{Attended: true, Stdin: strings.NewReader("y\n")}, "delete", "etl")
	if got.Code != 0 || !strings.Contains(got.Stderr, "It is being executed: what runs will be stopped and deleted, too.") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	if n := len(w.Instances.Running()); n != 0 {
		t.Errorf("%d instances are left", n)
	}
}

// contract: JOB-27, JOB-28, CLI-10
func TestExportAndReplace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox --tasks 3 --max-retries 0 --cpu 2 --memory 1Gi --set-env-vars A=1,B=x=y --labels team=data --command sh --args=-c,true --task-timeout 1m")
	exported := w.must("describe etl --format export")
	file := filepath.Join(t.TempDir(), "etl.yaml")
	if err := os.WriteFile(file, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	generation := w.must("describe etl --format value(metadata.generation)")
	got := w.do("replace " + file)
	if got.Code != 0 || !strings.Contains(got.Stderr, "Job [etl] has successfully been updated.") {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	if again := w.must("describe etl --format export"); again != exported {
		t.Errorf("exported\n%sand after replace\n%s", exported, again)
	}
	if g := w.must("describe etl --format value(metadata.generation)"); g != generation {
		t.Errorf("generation %s became %s without a change", generation, g)
	}
	w.must("update etl --update-env-vars B=2 --remove-labels team")
	changed := w.must("describe etl --format export")
	want := strings.Replace(exported, "value: x=y", "value: '2'", 1)
	want = regexp.MustCompile(`(?m)^ +labels:\n +team: data\n`).ReplaceAllString(want, "")
	if changed != want {
		t.Errorf("update changed more than it should:\n%swant\n%s", changed, want)
	}
	w.must("delete etl --quiet")
	if got := w.do("replace " + file); got.Code != 0 || !strings.Contains(got.Stderr, "Job [etl] has successfully been created.") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	// What is wrong is told in the file's own words.
	const eager = "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: etl}\n" +
		"spec: {template: {spec: {template: {spec: {maxRetries: 11, containers: [{image: x}]}}}}}"
	if got := w.in(cli.Env{Stdin: strings.NewReader(eager)}, "replace", "-"); got.Code != 2 ||
		!strings.HasPrefix(got.Stderr, "runnel jobs replace: standard input: spec.template.spec.template.spec.maxRetries: ") {
		t.Errorf("%+v", got)
	}
	if got := w.in(cli.Env{Stdin: strings.NewReader("kind: Pod")}, "replace", "-"); got.Code != 2 || !strings.HasPrefix(got.Stderr, "runnel jobs replace: standard input: kind: ") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}

// Updates at the same time do not take each other back.
// contract: JOB-27
func TestUpdatesThatMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox --set-env-vars A=1")
	var meeting sync.WaitGroup
	for _, name := range []string{"B", "C", "D"} {
		meeting.Go(func() {
			if got := w.do("update etl --update-env-vars " + name + "=1"); got.Code != 0 {
				t.Errorf("%s: exit %d\n%s", name, got.Code, got.Stderr)
			}
		})
	}
	meeting.Wait()
	vars := strings.Split(strings.TrimSpace(w.must("describe etl --format value(spec.template.spec.template.spec.containers[0].env.name)")), ";")
	slices.Sort(vars)
	if got := strings.Join(vars, " "); got != "A B C D" {
		t.Errorf("the job has %s", got)
	}
}
