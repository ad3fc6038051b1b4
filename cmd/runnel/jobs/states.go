package jobs

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/sheet"
)

// Running states of tasks.
const (
	taskPending   = "Pending"
	taskRunning   = "Running"
	taskSucceeded = "Succeeded"
	taskFailed    = "Failed"
	taskCancelled = "Cancelled"
	taskAbandoned = "Abandoned"
)

// runningState is what a task is doing.
func runningState(t *runpb.Task) string {
	done := sheet.Condition(t.GetConditions(), conditionCompleted)
	switch done.GetState() {
	case runpb.Condition_CONDITION_SUCCEEDED:
		return taskSucceeded
	case runpb.Condition_CONDITION_FAILED:
		if done.GetExecutionReason() == runpb.Condition_CANCELLED {
			return taskCancelled
		}
		return taskFailed
	}
	if t.GetStartTime() != nil && t.GetCompletionTime() == nil {
		return taskRunning
	}
	return taskPending
}

// taskState is the state of a task.
func taskState(t *runpb.Task) sheet.State {
	switch runningState(t) {
	case taskSucceeded:
		return sheet.Good
	case taskFailed:
		return sheet.Bad
	case taskCancelled:
		return sheet.Cancelled
	case taskRunning:
		return sheet.Working
	}
	return sheet.Idle
}
