package scheduler

import (
	"time"

	rruntime "runnel/runtime"
)

// EventKind is what happened.
type EventKind int

// Kinds of event, in the order one attempt goes through them.
const (
	// AttemptCreated: an instance is ready to start.
	AttemptCreated EventKind = iota
	// AttemptStarting comes before the instance's process begins: what this
	// event records is true whatever happens next.
	AttemptStarting
	// AttemptStopping comes before SIGTERM; Exit says why, by its TimedOut or
	// Cancelled, and nothing else yet.
	AttemptStopping
	// AttemptEnded: State is what that makes of the task, Pending if it will
	// be tried again. Also when an instance could not be created or started, or
	// nobody has seen its end; then Err says why, and the instance is gone.
	AttemptEnded
	// TaskEnded: a task came to its end without an attempt, or after one that
	// was to be followed by another.
	TaskEnded
	// ExecutionEnded: every task has come to its end. Instances may still be
	// on their way out.
	ExecutionEnded
)

// Event is one change of an execution. Observe gets every event of an
// execution in order.
type Event struct {
	Kind      EventKind
	Execution string
	// Index and Attempt name the attempt; both count from 0. They mean nothing
	// in ExecutionEnded.
	Index, Attempt int
	// Instance is the ID of the attempt's instance; empty in TaskEnded and
	// ExecutionEnded.
	Instance string
	// State is the task's, after the event.
	State TaskState
	// Exit is how the attempt ended, in AttemptEnded.
	Exit rruntime.Exit
	// Err is why an attempt came to nothing, or why a task was given up.
	Err error
	// Counts are the execution's, after the event.
	Counts Counts
	// At is when it happened.
	At time.Time
}
