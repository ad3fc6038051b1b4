package scheduler

import (
	"strconv"
	"time"
)

// Texts of conditions, as Cloud Run words them.
// Source: observed Execution.status.conditions of Cloud Run jobs.
const (
	messageProvisioned = "Provisioned imported containers."
	messageWaiting     = "Waiting for execution to complete."
	messageNoRoom      = "Waiting for room on this host."
	messageCancelling  = "Cancelling the execution."
	messageCancelled   = "Cancelled by user."
)

// startedMessage tells how long an execution took to get its first task going.
func startedMessage(d time.Duration) string {
	return "Started deployed execution in " + human(d) + "."
}

// succeededMessage tells how long an execution took.
func succeededMessage(d time.Duration) string {
	return "Execution completed successfully in " + human(d) + "."
}

// resultMessage is the text that goes with a task's last attempt.
func resultMessage(r *TaskRecord) string {
	if r.Error != "" {
		return r.Error
	}
	_, message := r.Exit.Status()
	return message
}

// human writes a duration as conditions do: in hundredths of a second without
// trailing zeros, "9.84s", "2m49.01s".
func human(d time.Duration) string {
	d = max(0, d).Round(10 * time.Millisecond)
	if d < time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
	}
	return d.String()
}
