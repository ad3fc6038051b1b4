package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// contract: JOB-1 JOB-8 ENV-3 ENV-6
func TestTasksKnowWhoTheyAre(t *testing.T) {
	h := openHost(t)
	o := h.runJSON(h.script(`env | sort | grep ^CLOUD_RUN_; echo pid $$; echo to stderr >&2`, "--tasks", "3", "--set-env-vars", "A=1,B=x y")...)
	o.exits(0)
	if !regexp.MustCompile(`^[a-z0-9-]+-[a-z0-9]{5}$`).MatchString(o.execution.Name) {
		t.Errorf("execution name %q", o.execution.Name)
	}
	for i := range 3 {
		want := []string{
			"CLOUD_RUN_EXECUTION=" + o.execution.Name,
			"CLOUD_RUN_JOB=" + o.execution.Job,
			"CLOUD_RUN_TASK_ATTEMPT=0",
			"CLOUD_RUN_TASK_COUNT=3",
			fmt.Sprintf("CLOUD_RUN_TASK_INDEX=%d", i),
			"pid 1",
		}
		if got := o.text(i, "stdout"); got != strings.Join(want, "\n") {
			t.Errorf("task %d prints\n%s\nwant\n%s", i, got, strings.Join(want, "\n"))
		}
		if got := o.text(i, "stderr"); got != "to stderr" {
			t.Errorf("task %d prints %q to standard error", i, got)
		}
	}
	if c := o.execution.Counts; c.Succeeded != 3 || c.Failed+c.Cancelled+c.Retried != 0 || !o.execution.Succeeded {
		t.Errorf("result %+v", o.execution)
	}
}
