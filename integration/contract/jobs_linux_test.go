package contract

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// runScript runs a script as a job that is called after the test, waits for its
// end, and gives what its tasks have printed.
func runScript(t *testing.T, d *rig.Daemon, script string, flags ...string) (logs string) {
	t.Helper()
	deletesJob(t, d, nameOf(t))
	r := d.CLI(append([]string{"jobs", "deploy", nameOf(t), "--image", d.Host.Shell(), "--args", "^\x01^" + script,
		"--cpu", "0.1", "--memory", "128Mi", "--execute-now", "--wait"}, flags...)...)
	r.Exits(0)
	return d.CLI("jobs", "logs", nameOf(t), "--format", "value(textPayload)").Exits(0).Stdout
}

// manySeconds is how long something sleeps whose process is looked for: other
// runs of the tests, on the same host, have other numbers.
func manySeconds() string { return fmt.Sprint(1_000_000_000 + rand.IntN(1_000_000_000)) }

// contract: JOB-1
func TestJOB1ExecutionHasOneToTenThousandTasks(t *testing.T) {
	d := daemon(t)
	const script = `echo task $CLOUD_RUN_TASK_INDEX of $CLOUD_RUN_TASK_COUNT`
	j := newJobAs(t, d, nameOf(t, "one"), script)
	if x := j.run(); x.GetTaskCount() != 1 || j.logs() != "task 0 of 1\n" {
		t.Errorf("without a word about tasks it is %v and prints\n%s", x, j.logs())
	}
	j.takes("--tasks", []string{"1", "10000"}, []string{"0", "-1", "10001"}, "1 to 10000")
	logs := runScript(t, d, script, "--tasks", "3")
	for i := range 3 {
		if want := fmt.Sprintf("task %d of 3\n", i); strings.Count(logs, want) != 1 {
			t.Errorf("%q is there %d times, want once\n%s", want, strings.Count(logs, want), logs)
		}
	}
}
