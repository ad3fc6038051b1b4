package scheduler

import (
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/contract"
)

// Condition types of executions and tasks.
// Source: observed conditions of Cloud Run jobs.
const (
	conditionCompleted          = "Completed"
	conditionStarted            = "Started"
	conditionResourcesAvailable = "ResourcesAvailable"
	conditionContainerReady     = "ContainerReady"
)

// conditions are those of an execution that has come as far as g.
func (p *plan) conditions(g *progress) []*runpb.Condition {
	completed := p.completed(g)
	available := condition(conditionResourcesAvailable, runpb.Condition_CONDITION_PENDING, messageNoRoom, p.created)
	started := condition(conditionStarted, runpb.Condition_CONDITION_PENDING, "", p.created)
	switch {
	case !g.started.IsZero():
		available = condition(conditionResourcesAvailable, runpb.Condition_CONDITION_SUCCEEDED, "", g.started)
		started = condition(conditionStarted, runpb.Condition_CONDITION_SUCCEEDED,
			startedMessage(g.started.Sub(p.created)), g.started)
	case !g.completed.IsZero(): // without ever having started
		started.State, started.Reasons = completed.GetState(), completed.GetReasons()
		started.LastTransitionTime = completed.GetLastTransitionTime()
	}
	return []*runpb.Condition{
		completed,
		available,
		started,
		condition(conditionContainerReady, runpb.Condition_CONDITION_SUCCEEDED, messageProvisioned, p.created),
	}
}

// completed is the condition that says how an execution ended: succeeded if
// every task did; cancelled if that kept any task from its end; else failed.
func (p *plan) completed(g *progress) *runpb.Condition {
	const kind = conditionCompleted
	var reason runpb.Condition_ExecutionReason
	var c *runpb.Condition
	switch {
	case g.completed.IsZero() && g.cancelling:
		c = condition(kind, runpb.Condition_CONDITION_PENDING, messageCancelling, g.updated)
		reason = runpb.Condition_CANCELLING
	case g.completed.IsZero():
		return condition(kind, runpb.Condition_CONDITION_PENDING, messageWaiting, p.created)
	case g.counts.Succeeded == p.tasks:
		return condition(kind, runpb.Condition_CONDITION_SUCCEEDED,
			succeededMessage(g.completed.Sub(p.created)), g.completed)
	case g.counts.Cancelled > 0:
		c = condition(kind, runpb.Condition_CONDITION_FAILED, messageCancelled, g.completed)
		reason = runpb.Condition_CANCELLED
	default:
		c = condition(kind, runpb.Condition_CONDITION_FAILED, g.failure, g.completed)
		reason = runpb.Condition_NON_ZERO_EXIT_CODE
	}
	c.Reasons = &runpb.Condition_ExecutionReason_{ExecutionReason: reason}
	return c
}

// taskConditions are those of the task called name of an execution created at
// created.
func taskConditions(name string, created time.Time, r *TaskRecord) []*runpb.Condition {
	completed := condition(conditionCompleted, runpb.Condition_CONDITION_PENDING, "", created)
	started := condition(conditionStarted, runpb.Condition_CONDITION_PENDING, "", created)
	if !r.Started.IsZero() {
		started = condition(conditionStarted, runpb.Condition_CONDITION_SUCCEEDED, "", r.Started)
	}
	switch r.State {
	case Pending:
		if r.Attempts > 0 {
			completed.Reasons = &runpb.Condition_Reason{Reason: runpb.Condition_IMMEDIATE_RETRY}
			completed.Message = resultMessage(r)
		}
	case Succeeded:
		completed = condition(conditionCompleted, runpb.Condition_CONDITION_SUCCEEDED, "", r.Completed)
	case Failed:
		completed = condition(conditionCompleted, runpb.Condition_CONDITION_FAILED, r.Exit.FailureLine(name, resultMessage(r)), r.Completed)
		completed.Reasons = &runpb.Condition_ExecutionReason_{ExecutionReason: runpb.Condition_NON_ZERO_EXIT_CODE}
	case Cancelled:
		completed = condition(conditionCompleted, runpb.Condition_CONDITION_FAILED, messageCancelled, r.Completed)
		completed.Reasons = &runpb.Condition_ExecutionReason_{ExecutionReason: runpb.Condition_CANCELLED}
	}
	return []*runpb.Condition{completed, started}
}

// lastResult is what the last attempt of a task came to, nil if none has come
// to anything yet. A container that the platform stopped at its timeout may
// still have chosen its own exit code.
func lastResult(r *TaskRecord) *runpb.TaskAttemptResult {
	code, message := r.Exit.Status()
	switch {
	case r.Error != "":
		code, message = contract.StatusAborted, r.Error
	case !r.Exit.At.IsZero():
	case r.State == Cancelled:
		code, message = contract.Exit{Cancelled: true}.Status()
	default:
		return nil
	}
	result := &runpb.TaskAttemptResult{Status: &status.Status{Code: int32(code), Message: message}}
	switch {
	case r.Exit.Lost:
	case r.Exit.Signal != 0:
		result.TermSignal = int32(r.Exit.Signal)
	default:
		result.ExitCode = int32(r.Exit.Code)
	}
	return result
}

func condition(kind string, state runpb.Condition_State, message string, at time.Time) *runpb.Condition {
	return &runpb.Condition{Type: kind, State: state, Message: message, LastTransitionTime: timestamp(at)}
}

// timestamp is nil for the zero time: it has not happened.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// moment is the inverse of timestamp.
func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
