package contract

import (
	"path"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// mixed is a script of five tasks: the first ends well, the second badly, the
// third well at its second attempt, and the rest go on until they are stopped.
const mixed = `case $CLOUD_RUN_TASK_INDEX/$CLOUD_RUN_TASK_ATTEMPT in 0/*|2/1) exit 0;; 1/*|2/0) exit 1;; esac
trap 'exit 5' TERM; echo up; sleep 1000 & wait`

// midway is an execution of mixed with tasks that have ended and tasks that run.
func midway(t *testing.T, d *rig.Daemon) (j job, execution string) {
	t.Helper()
	j = newJob(t, d, mixed, "--tasks", "5", "--max-retries", "1")
	execution = j.begin()
	j.until(execution, "three tasks have ended, and two run", func(x *runpb.Execution) bool {
		return x.GetSucceededCount() == 2 && x.GetFailedCount() == 1 && x.GetRunningCount() == 2
	})
	j.prints("up", 2)
	return j, execution
}

// contract: JOB-18
func TestJOB18ExecutionsHaveConditionsAndCounts(t *testing.T) {
	d := daemon(t)
	j, name := midway(t, d)
	x := j.execution(name)
	for kind, want := range map[string]runpb.Condition_State{
		"ResourcesAvailable": runpb.Condition_CONDITION_SUCCEEDED,
		"Started":            runpb.Condition_CONDITION_SUCCEEDED,
		"Completed":          runpb.Condition_CONDITION_PENDING,
	} {
		if got := condition(x.GetConditions(), kind); got.GetState() != want {
			t.Errorf("while it runs %s is %v, want %v", kind, got, want)
		}
	}
	if x.GetRetriedCount() != 2 || x.GetCancelledCount() != 0 {
		t.Errorf("while it runs: %v", x)
	}
	x = j.cancel(name)
	if x.GetRunningCount() != 0 || x.GetSucceededCount() != 2 || x.GetFailedCount() != 1 || x.GetCancelledCount() != 2 || x.GetRetriedCount() != 2 {
		t.Errorf("once it is cancelled: %v", x)
	}
	if got := condition(x.GetConditions(), "Completed"); got.GetState() != runpb.Condition_CONDITION_FAILED || got.GetExecutionReason() != runpb.Condition_CANCELLED {
		t.Errorf("once it is cancelled Completed is %v", got)
	}
	good := newJobAs(t, d, nameOf(t, "good"), "exit 0")
	if got := condition(good.run().GetConditions(), "Completed"); got.GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Errorf("of one that succeeded Completed is %v", got)
	}
}

// contract: JOB-19
func TestJOB19TasksHaveStates(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `exit $((CLOUD_RUN_TASK_INDEX == 0))`, "--tasks", "2", "--max-retries", "0")
	if got, want := j.states(path.Base(j.run().GetName())), []string{"Failed", "Succeeded"}; !slices.Equal(got, want) {
		t.Errorf("the states are %v, want %v", got, want)
	}
	j = newJobAs(t, d, nameOf(t, "slow"), `trap 'exit 5' TERM; echo up; sleep 1000 & wait`, "--tasks", "3", "--parallelism", "1")
	x := j.begin()
	j.until(x, "one task runs", func(x *runpb.Execution) bool { return x.GetRunningCount() == 1 })
	j.prints("up", 1)
	got := j.states(x)
	slices.Sort(got)
	if want := []string{"Pending", "Pending", "Running"}; !slices.Equal(got, want) {
		t.Errorf("while one runs the states are %v, want %v", got, want)
	}
	for flag, want := range map[string]int{"--pending": 2, "--running": 1, "--no-completed": 3, "--completed": 0, "--abandoned": 0} {
		r := d.CLI("jobs", "executions", "tasks", "list", "--execution", x, flag, "--format", "value(metadata.name)").Exits(0)
		if got := strings.Count(r.Stdout, x+"-task"); got != want {
			t.Errorf("%s lists %d tasks, want %d\n%s", flag, got, want, r)
		}
	}
	j.cancel(x)
	if got, want := j.states(x), []string{"Cancelled", "Cancelled", "Cancelled"}; !slices.Equal(got, want) {
		t.Errorf("once it is cancelled the states are %v, want %v", got, want)
	}
}

// contract: JOB-22
func TestJOB22JobTellsHowItsExecutionsWent(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `trap 'exit 5' TERM; echo up; sleep 1000 & wait`, "--max-retries", "0")
	is := func(count int32, execution string, want runpb.ExecutionReference_CompletionStatus) {
		t.Helper()
		got := j.seen()
		if latest := got.GetLatestCreatedExecution(); got.GetExecutionCount() != count || latest.GetName() != execution || latest.GetCompletionStatus() != want {
			t.Errorf("%d executions, the latest %v; want %d, and %s %v", got.GetExecutionCount(), latest, count, execution, want)
		}
	}
	is(0, "", runpb.ExecutionReference_COMPLETION_STATUS_UNSPECIFIED)
	x := j.begin()
	j.until(x, "it runs", func(x *runpb.Execution) bool { return x.GetRunningCount() == 1 })
	is(1, x, runpb.ExecutionReference_EXECUTION_RUNNING)
	j.prints("up", 1)
	j.cancel(x)
	is(1, x, runpb.ExecutionReference_EXECUTION_CANCELLED)
	for i, c := range []struct {
		script string
		want   runpb.ExecutionReference_CompletionStatus
	}{{"exit 0", runpb.ExecutionReference_EXECUTION_SUCCEEDED}, {"exit 1", runpb.ExecutionReference_EXECUTION_FAILED}} {
		d.CLI("jobs", "update", j.name, "--args", c.script).Exits(0)
		x = j.begin()
		j.ended(x)
		is(int32(i+2), x, c.want)
	}
}
