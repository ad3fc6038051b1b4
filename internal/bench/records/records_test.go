package records

import (
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
	"runnel/control/controltest"
)

// What is stored is what the daemon would have stored: it lists all of it, and
// goes on.
func TestMultipliedExecutionsAreListed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	x, _ := w.Run(w.Job("one", 1))
	x = w.Ended(x.GetName())
	if err := multiply(w.Store(), 3, 7); err != nil {
		t.Fatal(err)
	}
	w.Restart()
	ctx := t.Context()
	executions, _, err := w.Control.Executions(ctx, control.Query[*runpb.Execution]{Parent: controltest.Parent + "/jobs/-"})
	if err != nil || len(executions) != 4 {
		t.Fatalf("%d executions are listed, %v", len(executions), err)
	}
	tasks, _, err := w.Control.Tasks(ctx, control.Query[*runpb.Task]{Parent: controltest.Parent + "/jobs/-/executions/-"})
	if err != nil || len(tasks) != 3*7+1 {
		t.Errorf("%d tasks are listed, %v", len(tasks), err)
	}
	for _, task := range tasks {
		if task.GetCompletionTime() == nil || task.GetReconciling() {
			t.Errorf("a task has not ended: %v", task)
		}
	}
	if other := executions[1]; other.GetSucceededCount() != 7 || other.GetUid() == x.GetUid() {
		t.Errorf("an execution is %v", other)
	}
}
