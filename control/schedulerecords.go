package control

import (
	"slices"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"

	"runnel/store"
)

// Kinds of records of schedules: Cloud Scheduler's message, and a note of what
// that does not tell. The rows of the series with a schedule's UID are its last
// runs: a ring, in which the newest takes the place of the oldest.
const (
	kindSchedules     store.Kind = "schedules"
	kindScheduleNotes store.Kind = "schedulenotes"
)

// scheduleNote is what a schedule's resource does not tell.
type scheduleNote struct {
	UID     string    `json:"uid"`
	Created time.Time `json:"created"`
	// Version counts what people have changed.
	Version int `json:"version"`
	// Handled is the last tick that has been seen to, or since when ticks count.
	Handled time.Time `json:"handled"`
	// Asked is how many runs have been asked for by hand, Answered how many of
	// them have been seen to.
	Asked    int `json:"asked,omitempty"`
	Answered int `json:"answered,omitempty"`
	// Runs is how many runs there have been.
	Runs uint32 `json:"runs,omitempty"`
	// Last is the execution that was made last, by its full name.
	Last string `json:"last,omitempty"`
}

// ScheduledRun is what became of one tick of a schedule, or of one run that was
// asked for.
type ScheduledRun struct {
	// Scheduled is the tick; zero if the run was asked for.
	Scheduled time.Time `json:"scheduled,omitzero"`
	// Attempted is when it was seen to.
	Attempted time.Time `json:"attempted"`
	// Missed are the ticks before it that nobody has run, nor will; 100 means that
	// many or more.
	Missed int `json:"missed,omitempty"`
	// Execution is the full name of what was made, which may have been removed
	// since; empty if nothing was. Then Code and Message say why.
	Execution string     `json:"execution,omitempty"`
	Code      codes.Code `json:"code,omitempty"`
	Message   string     `json:"message,omitempty"`
}

func getSchedule(tx *store.Tx, name string) *schedulerpb.Job {
	return get[schedulerpb.Job](tx, kindSchedules, name)
}

func getScheduleNote(tx *store.Tx, name string) (n scheduleNote) {
	read(tx, kindScheduleNotes, name, &n)
	return n
}

func putSchedule(tx *store.Tx, s *schedulerpb.Job, n scheduleNote) {
	tx.Put(kindSchedules, s.GetName(), n.Created, marshal(s))
	write(tx, kindScheduleNotes, s.GetName(), n.Created, n)
}

// removeSchedule removes a schedule with what is known of its runs.
func removeSchedule(tx *store.Tx, name string, n scheduleNote) {
	tx.Delete(kindSchedules, name)
	tx.Delete(kindScheduleNotes, name)
	tx.DeleteSeries(n.UID)
}

// keptRuns is how many runs are remembered of a schedule.
const keptRuns = 100

// putScheduledRun remembers a run, and counts it in the note.
func putScheduledRun(tx *store.Tx, n *scheduleNote, r ScheduledRun) {
	tx.PutRow(n.UID, n.Runs%keptRuns, toJSON(r))
	n.Runs++
}

// scheduledRuns are the runs that are remembered, the newest first.
func scheduledRuns(tx *store.Tx, n scheduleNote) (runs []ScheduledRun) {
	for _, value := range tx.Rows(n.UID) {
		var r ScheduledRun
		if unmarshalJSON(value, &r) {
			runs = append(runs, r)
		}
	}
	// The ring begins behind the one that was written last.
	if begin := int(n.Runs % keptRuns); begin < len(runs) {
		runs = slices.Concat(runs[begin:], runs[:begin])
	}
	slices.Reverse(runs)
	return runs
}
