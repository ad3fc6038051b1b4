package scheduler

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// TaskRecord is how far one task has come: all that is to be known about it to
// show it, and to go on with it in another process.
type TaskRecord struct {
	// Index counts tasks from 0.
	Index int
	State TaskState
	// Attempts is how many have begun. While the task is Running the last of
	// them does.
	Attempts int
	// Scheduled is when the first instance was asked for, Started when the
	// first attempt began, Attempted the last one; Completed is when the task
	// came to its end, Updated when the record changed last. Each is zero until
	// it happens.
	Scheduled, Started, Attempted, Completed, Updated time.Time
	// AttemptedUp is the host's uptime when the last attempt began; zero where
	// that is not known.
	AttemptedUp time.Duration
	// Stopping says why the attempt that runs is being ended: by its TimedOut
	// or Cancelled.
	Stopping contract.Exit
	// Exit is that of the last attempt that ended.
	Exit rruntime.Exit
	// Error says why the last attempt came to nothing, where it did, or why the
	// task was given up.
	Error string
	// Hopeless says that Error has ended the whole execution.
	Hopeless bool
	// FirstFailure marks the task that was the first of its execution to fail.
	FirstFailure bool
}

// recordVersion is raised when a record can no longer be read by programs that
// skip what they do not know.
const recordVersion = 1

// Fields of a record's wire form, that of a protocol buffer. A number is never
// used again for something else.
const (
	fieldVersion protowire.Number = iota + 1
	fieldIndex
	fieldState
	fieldAttempts
	fieldScheduled
	fieldStarted
	fieldAttempted
	fieldCompleted
	fieldUpdated
	fieldStopping
	fieldExit
	fieldExitCode
	fieldExitSignal
	fieldExitAt
	fieldMemoryPeak
	fieldError
	fieldFlags
	fieldAttemptedUp
)

// MarshalBinary writes the record in a few dozen bytes. It never fails.
func (r TaskRecord) MarshalBinary() ([]byte, error) {
	b := make(encoder, 0, 96)
	b.number(fieldVersion, recordVersion)
	b.number(fieldIndex, uint64(r.Index))
	b.text(fieldState, string(r.State))
	b.number(fieldAttempts, uint64(r.Attempts))
	b.time(fieldScheduled, r.Scheduled)
	b.time(fieldStarted, r.Started)
	b.time(fieldAttempted, r.Attempted)
	b.time(fieldCompleted, r.Completed)
	b.time(fieldUpdated, r.Updated)
	b.number(fieldStopping, exitFlags(r.Stopping))
	b.number(fieldExit, exitFlags(r.Exit.Exit))
	b.number(fieldExitCode, uint64(r.Exit.Code))
	b.number(fieldExitSignal, uint64(r.Exit.Signal))
	b.time(fieldExitAt, r.Exit.At)
	b.number(fieldMemoryPeak, uint64(r.Exit.MemoryPeak))
	b.text(fieldError, r.Error)
	b.number(fieldAttemptedUp, uint64(r.AttemptedUp))
	b.number(fieldFlags, bit(r.Hopeless, 0)|bit(r.FirstFailure, 1))
	return b, nil
}
