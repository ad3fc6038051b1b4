package main

import (
	"bytes"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"runnel/contract"
	"runnel/scheduler"
)

// maxRows is how many tasks a table shows; of more than that it shows those
// that did not just succeed.
const maxRows = 100

// summary is an execution that is over.
type summary struct {
	job, execution string
	counts         scheduler.Counts
	tasks          []taskRow
}

func (s summary) succeeded() bool { return s.counts.Succeeded == len(s.tasks) }

// took is the time from the first task's start to the last one's end.
func (s summary) took() time.Duration {
	var from, to time.Time
	for _, t := range s.tasks {
		if !t.from.IsZero() && (from.IsZero() || t.from.Before(from)) {
			from = t.from
		}
		if t.to.After(to) {
			to = t.to
		}
	}
	return max(0, to.Sub(from))
}

// table shows the tasks to people.
func (s summary) table() []byte {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TASK\tATTEMPTS\tSTATE\tEXIT\tDURATION")
	hidden, rows := 0, 0
	for i, t := range s.tasks {
		plain := t.state == scheduler.Succeeded && t.attempts <= 1
		if len(s.tasks) > maxRows && (plain || rows == maxRows) {
			hidden++
			continue
		}
		rows++
		fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%s\n", i, t.attempts, t.state, t.cell(), seconds(t.duration()))
	}
	if hidden == len(s.tasks) {
		return fmt.Appendf(nil, "All %d tasks succeeded at their first attempt.\n", hidden)
	}
	_ = w.Flush() // a buffer takes everything
	if hidden > 0 {
		fmt.Fprintf(&b, "(%d more tasks)\n", hidden)
	}
	return b.Bytes()
}

// verdict is the execution's end in a sentence, in gcloud's words.
func (s summary) verdict() string {
	if s.succeeded() {
		return fmt.Sprintf("Execution [%s] has successfully completed in %s.", s.execution, seconds(s.took()))
	}
	done := fmt.Sprintf("%d of %d tasks succeeded", s.counts.Succeeded, len(s.tasks))
	for i, t := range s.tasks {
		if t.state == scheduler.Failed {
			return fmt.Sprintf("The execution failed: %s; task %d: %s.", done, i, t.result())
		}
	}
	return fmt.Sprintf("Execution [%s] was cancelled: %s.", s.execution, done)
}

// jsonSummary is the last line of JSON output.
type jsonSummary struct {
	Execution jsonExecution `json:"execution"`
}

type jsonExecution struct {
	Name      string     `json:"name"`
	Job       string     `json:"job"`
	Succeeded bool       `json:"succeeded"`
	Counts    jsonCounts `json:"counts"`
	// Seconds are those of took.
	Seconds float64    `json:"seconds"`
	Tasks   []jsonTask `json:"tasks"`
}

type jsonCounts struct {
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	Retried   int `json:"retried"`
}

type jsonTask struct {
	Index    int                 `json:"index"`
	Attempts int                 `json:"attempts"`
	State    scheduler.TaskState `json:"state"`
	// ExitCode and Signal exclude each other; neither is there for a task whose
	// end nobody saw or that never ran.
	ExitCode *int `json:"exitCode,omitempty"`
	Signal   int  `json:"signal,omitempty"`
	// Reason is why the task did not succeed: one of contract's, or "error" if
	// Runnel could not run it.
	Reason  contract.Reason `json:"reason,omitempty"`
	Message string          `json:"message,omitempty"`
	Seconds float64         `json:"seconds"`
}

// json shows everything to programs.
func (s summary) json() []byte {
	e := jsonExecution{
		Name:      s.execution,
		Job:       s.job,
		Succeeded: s.succeeded(),
		Counts: jsonCounts{
			Succeeded: s.counts.Succeeded,
			Failed:    s.counts.Failed,
			Cancelled: s.counts.Cancelled,
			Retried:   s.counts.Retried,
		},
		Seconds: s.took().Seconds(),
		Tasks:   make([]jsonTask, len(s.tasks)),
	}
	for i, t := range s.tasks {
		e.Tasks[i] = t.json(i)
	}
	return appendJSONLine(nil, jsonSummary{e})
}

func (t taskRow) json(index int) jsonTask {
	j := jsonTask{Index: index, Attempts: t.attempts, State: t.state, Seconds: t.duration().Seconds()}
	switch {
	case t.err != nil:
		j.Reason, j.Message = "error", t.err.Error()
	case t.ended:
		j.Reason = t.exit.Reason()
		_, j.Message = t.exit.Status()
		if j.Signal = int(t.exit.Signal); j.Signal == 0 && !t.exit.Lost {
			j.ExitCode = &t.exit.Code
		}
	}
	return j
}

// seconds writes a duration for people: two digits behind the point below ten
// seconds, one below a minute, none above.
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + "s"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	}
	return d.Round(time.Second).String()
}
