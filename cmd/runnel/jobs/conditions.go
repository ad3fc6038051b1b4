package jobs

import (
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/stages"
)

// Types of the conditions of executions and tasks.
const (
	resourcesAvailable = "ResourcesAvailable"
	conditionStarted   = "Started"
	conditionCompleted = "Completed"
)

// completed is the condition that ends an execution.
func completed(x *runpb.Execution) *runpb.Condition {
	return sheet.Condition(x.GetConditions(), conditionCompleted)
}

// succeeded reports whether all tasks of x have.
func succeeded(x *runpb.Execution) bool {
	return completed(x).GetState() == runpb.Condition_CONDITION_SUCCEEDED
}

// started reports whether x has begun to run tasks.
func started(x *runpb.Execution) bool {
	return sheet.Condition(x.GetConditions(), conditionStarted).GetState() == runpb.Condition_CONDITION_SUCCEEDED
}

// executionStages are what an execution goes through, as far as it is waited
// for.
func executionStages(wait bool) []string {
	if !wait {
		return []string{"Provisioning resources..."}
	}
	return []string{"Provisioning resources...", "Starting execution...", "Running execution..."}
}

// showExecutionStages shows how far x has come. A stage runs once those before
// it are done.
func showExecutionStages(tracker *stages.Tracker, x *runpb.Execution, wait bool) {
	kinds := []string{resourcesAvailable, conditionStarted, conditionCompleted}
	for i := range executionStages(wait) {
		c := sheet.Condition(x.GetConditions(), kinds[i])
		message := ""
		if kinds[i] == conditionCompleted {
			message = tally(x)
		} else if c.GetState() != runpb.Condition_CONDITION_SUCCEEDED {
			message = c.GetMessage()
		}
		switch c.GetState() {
		case runpb.Condition_CONDITION_SUCCEEDED:
			tracker.Set(i, stages.Done, message)
		case runpb.Condition_CONDITION_FAILED:
			tracker.Set(i, stages.Failed, message)
			return
		default:
			tracker.Set(i, stages.Running, message)
			return
		}
	}
}

// tally is how many tasks of x are done.
func tally(x *runpb.Execution) string {
	text := fmt.Sprintf("%d / %d complete", x.GetSucceededCount(), x.GetTaskCount())
	if n := x.GetFailedCount(); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	return text
}
