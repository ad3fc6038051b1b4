package scheduler

import (
	"time"

	"runnel/contract"
)

// Verdict is what becomes of a task after one of its attempts.
type Verdict int

// Verdicts.
const (
	// Done: the task has succeeded.
	Done Verdict = iota
	// Retry: the task is owed another attempt.
	Retry
	// GiveUp: no attempt is left; the task has failed.
	GiveUp
	// Stop: the task was cancelled.
	Stop
)

// state is what a verdict makes of a task.
func (v Verdict) state() TaskState {
	switch v {
	case Done:
		return Succeeded
	case Retry:
		return Pending
	case GiveUp:
		return Failed
	}
	return Cancelled
}

// Judge is the retry rule: what follows from the end of an attempt, counted
// from 0, of a task that may be retried maxRetries times. An attempt whose end
// nobody saw counts as failed.
// Source: "Set maximum retries"; one retry means two attempts in all.
func Judge(exit contract.Exit, attempt, maxRetries int) Verdict {
	switch {
	case exit.Succeeded():
		return Done
	case exit.Cancelled:
		return Stop
	case attempt < maxRetries:
		return Retry
	}
	return GiveUp
}

// Bounds of the pause after a failure that is the host's, not the task's.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// Pause is how long an execution creates nothing after the host has failed it
// so many times in a row, one or more: short at first, then doubling to a
// second, so that a full disk or a dead shim is not asked thousands of times.
func Pause(failures int) time.Duration {
	pause := firstPause
	for range failures - 1 {
		if pause *= 2; pause >= lastPause {
			return lastPause
		}
	}
	return pause
}
