package contract

import (
	"debug/elf"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// contract: JOB-3
func TestJOB3ExecutionFailsOnceEveryTaskWasTried(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `echo task $CLOUD_RUN_TASK_INDEX; exit $((CLOUD_RUN_TASK_INDEX < 3))`, "--tasks", "4", "--parallelism", "1", "--max-retries", "1")
	x := j.run()
	if x.GetFailedCount() != 3 || x.GetSucceededCount() != 1 || condition(x.GetConditions(), "Completed").GetState() != runpb.Condition_CONDITION_FAILED {
		t.Errorf("it ends as %v", x)
	}
	for i, want := range []int{2, 2, 2, 1} {
		if got := strings.Count(j.logs(), fmt.Sprintf("task %d\n", i)); got != want {
			t.Errorf("task %d was tried %d times, want %d", i, got, want)
		}
	}
}

// contract: JOB-8
func TestJOB8OnlyExitStatus0IsSuccess(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `exit $((CLOUD_RUN_TASK_INDEX * 85))`, "--tasks", "4", "--max-retries", "0")
	for i, task := range j.tasksOf(path.Base(j.run().GetName())) {
		want := runpb.Condition_CONDITION_FAILED
		if i == 0 {
			want = runpb.Condition_CONDITION_SUCCEEDED
		}
		if got := condition(task.GetConditions(), "Completed"); got.GetState() != want || task.GetLastAttemptResult().GetExitCode() != int32(i*85) {
			t.Errorf("exit status %d: %v", i*85, task)
		}
	}
}

// deaf is a script that goes on at SIGTERM where its index is 1, and else says
// goodbye and ends with 7.
const deaf = `trap 'echo heard; [ $CLOUD_RUN_TASK_INDEX = 1 ] || exit 7' TERM; echo up; while :; do sleep 0.2; done`

// checkGrace checks the ends of a task of deaf that heard SIGTERM, and of one
// that took no notice.
func (j job) checkGrace(execution string) {
	j.t.Helper()
	tasks := j.tasksOf(execution)
	if got := tasks[0].GetLastAttemptResult(); got.GetExitCode() != 7 || got.GetTermSignal() != 0 {
		j.t.Errorf("a task that heard SIGTERM: %v", got)
	}
	if got := tasks[1].GetLastAttemptResult(); got.GetTermSignal() != 9 {
		j.t.Errorf("a task that took no notice of SIGTERM: %v", got)
	}
	if got := strings.Count(j.logs(), "heard\n"); got != 2 {
		j.t.Errorf("%d tasks have heard SIGTERM", got)
	}
}

// contract: JOB-12
func TestJOB12CancelledTasksHaveTenSeconds(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, deaf, "--tasks", "2")
	x := j.begin()
	j.prints("up", 2)
	began := time.Now()
	got := j.cancel(x)
	if took := time.Since(began); took < grace || took > mostGrace() {
		t.Errorf("it has ended after %v", took)
	}
	if c := condition(got.GetConditions(), "Completed"); got.GetCancelledCount() != 2 || c.GetExecutionReason() != runpb.Condition_CANCELLED {
		t.Errorf("it ends as %v", got)
	}
	j.checkGrace(x)
	if log := j.logs(); strings.Count(log, "up\n") != 2 {
		t.Errorf("what was cancelled is tried again: %s", log)
	}
}

// contract: JOB-13
func TestJOB13TimeoutIsSIGTERMAndTenSecondsLaterSIGKILL(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, deaf, "--tasks", "2", "--max-retries", "0", "--task-timeout", "5")
	x := j.run()
	if took := x.GetCompletionTime().AsTime().Sub(x.GetStartTime().AsTime()); x.GetFailedCount() != 2 || took.Seconds() < 14.5 || took > 5*time.Second+mostGrace() {
		t.Errorf("after %v it ends as %v", took, x)
	}
	j.checkGrace(path.Base(x.GetName()))
	if log, want := j.logs("--system"), "Terminating task because it has reached the maximum timeout of 5 seconds.\n"; strings.Count(log, want) != 2 {
		t.Errorf("%q is not there twice\n%s", want, log)
	}
}

// contract: JOB-14
func TestJOB14MemoryAboveTheLimitEndsTheAttempt(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `echo attempt $CLOUD_RUN_TASK_ATTEMPT; tail /dev/zero; sleep 20; echo survived`, "--max-retries", "1", "--cpu", "1")
	x := j.run()
	task := j.tasksOf(path.Base(x.GetName()))[0]
	if got := task.GetLastAttemptResult(); x.GetFailedCount() != 1 || got.GetTermSignal() != 9 || got.GetStatus().GetMessage() != "The configured memory limit was reached." {
		t.Errorf("it ends as %v", task)
	}
	log := j.logs("--system")
	if strings.Count(log, "attempt ") != 2 || strings.Contains(log, "survived") || !strings.Contains(log, "Container terminated on signal 9.\n") ||
		!regexp.MustCompile(`(?m)^Memory limit of 128 MiB exceeded with \d+ MiB used\.$`).MatchString(log) {
		t.Errorf("the log says\n%s", log)
	}
}

// contract: JOB-15
func TestJOB15ResultsTellTheSignal(t *testing.T) {
	d := daemon(t)
	image := d.Host.Build(imagetest.Build{Layers: []imagetest.Layer{{Entries: []imagetest.Entry{
		imagetest.File("ill", rig.Executable(elf.EM_X86_64, []byte{0x0f, 0x0b}), 0o755),                    // ud2
		imagetest.File("segv", rig.Executable(elf.EM_X86_64, []byte{0x8b, 0x04, 0x25, 0, 0, 0, 0}), 0o755), // mov eax, [0]
		imagetest.File("bus", rig.Executable(elf.EM_X86_64, rig.ReadBeyondEnd()), 0o755),
	}}}})
	for program, signal := range map[string]int32{"ill": 4, "bus": 7, "segv": 11} {
		j := newJobAs(t, d, nameOf(t, program), "", "--image", image, "--args", "", "--command", "/"+program, "--max-retries", "0")
		task := j.tasksOf(path.Base(j.run().GetName()))[0]
		if got := task.GetLastAttemptResult(); got.GetTermSignal() != signal || got.GetExitCode() != 0 {
			t.Errorf("%s: %v, want signal %d", program, got, signal)
		}
		if log, want := j.logs("--system"), fmt.Sprintf("Container terminated on signal %d.\n", signal); log != want {
			t.Errorf("%s: the log says %q, want %q", program, log, want)
		}
	}
	// The kernel keeps a signal without a handler from the first process of a
	// container, unless it comes from outside and is SIGKILL.
	long := manySeconds()
	j := newJob(t, d, `kill -TERM $$; kill -KILL $$; echo up; exec sleep `+long, "--max-retries", "0")
	x := j.begin()
	j.prints("up", 1)
	var pids []int
	d.Eventually("it sleeps", func() bool {
		return len(pids) == 1 || later(func() { pids = rig.ProcessesCalled("sleep\x00" + long + "\x00") })
	})
	d.Host.Kill(pids[0])
	j.ended(x)
	if got := j.tasksOf(x)[0].GetLastAttemptResult(); got.GetTermSignal() != 9 || got.GetStatus().GetMessage() != "Container terminated on signal 9." {
		t.Errorf("killed from outside: %v", got)
	}
}

// contract: JOB-16
func TestJOB16FailedTaskHasCloudRunsWords(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `exit 3`, "--max-retries", "0")
	x := path.Base(j.run().GetName())
	want := "Task " + x + "-task0 failed with exit code: 3 and message: The container exited with an error."
	for kind, of := range map[string][]*runpb.Condition{"execution": j.execution(x).GetConditions(), "task": j.tasksOf(x)[0].GetConditions()} {
		got := condition(of, "Completed")
		if got.GetMessage() != want || got.GetExecutionReason() != runpb.Condition_NON_ZERO_EXIT_CODE {
			t.Errorf("the %s has %v, want %q", kind, got, want)
		}
	}
	d.CLI("jobs", "executions", "describe", x, "--format", "yaml").Exits(0).Shows("reason: NonZeroExitCode", want)
	d.CLI("jobs", "execute", j.name, "--wait").Exits(1).Shows("The execution failed.", "failed with exit code: 3 and message: The container exited with an error.")
}

// contract: JOB-17
func TestJOB17SystemLogTellsTheExit(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `echo hello`)
	j.run()
	if got := j.logs(); got != "hello\n" {
		t.Errorf("the log of the program is %q", got)
	}
	if got := j.logs("--system"); got != "hello\nContainer called exit(0).\n" {
		t.Errorf("with the system's it is %q", got)
	}
	r := d.CLI("jobs", "logs", j.name, "--system", "--limit", "1", "--format", "json").Exits(0)
	r.Shows(`run.googleapis.com%2Fvarlog%2Fsystem`, `"severity":"INFO"`, `"textPayload":"Container called exit(0)."`)
	bad := newJobAs(t, d, nameOf(t, "bad"), `exit 3`, "--max-retries", "0")
	bad.run()
	if got := bad.logs("--system"); got != "Container called exit(3).\n" {
		t.Errorf("of a task that failed it is %q", got)
	}
}
