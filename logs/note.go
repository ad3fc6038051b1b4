package logs

import (
	"time"

	"runnel/contract"
	"runnel/scheduler"
)

// note is an entry that is in no file: what there is to say about an instance.
type note struct {
	at       time.Time
	severity string
	text     string
	// loss says that it tells of output that is gone, which is for everybody.
	loss bool
}

// endNotes tell how the last attempt of a task came to its end.
// Source: observed entries of run.googleapis.com/varlog/system.
func endNotes(o *origin, r scheduler.TaskRecord) (notes []note) {
	exit, at := r.Exit.Exit, r.Exit.At
	if at.IsZero() {
		at = r.Completed
	}
	if at.IsZero() {
		at = r.Updated
	}
	if exit.TimedOut {
		notes = append(notes, note{earlier(r.Attempted.Add(o.timeout), at), severityError, contract.TimeoutLine(o.timeout), false})
	}
	if exit.OOMKilled {
		// What the limit has ended has used all of it, whether or not the kernel
		// tells.
		notes = append(notes, note{at, severityError, contract.MemoryLine(o.memory, max(o.memory, r.Exit.MemoryPeak)), false})
	}
	switch {
	case r.Error != "":
		return append(notes, note{at, severityError, r.Error, false})
	case exit.Lost:
		_, message := exit.Status()
		return append(notes, note{at, severityError, message, false})
	case exit.Code == 0 && exit.Signal == 0:
		return append(notes, note{at, severityInfo, exit.ExitLine(), false})
	}
	return append(notes, note{at, severityWarning, exit.ExitLine(), false})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
