package integration

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// output is what --format json says.
type output struct {
	result
	lines     []line
	execution execution
}

// line is one line of a task, as JSON.
type line struct {
	Time          time.Time
	Task, Attempt int
	Stream, Text  string
	Bytes         []byte
	Partial       bool
}

// execution is the last line of JSON.
type execution struct {
	Name, Job string
	Succeeded bool
	Counts    struct{ Succeeded, Failed, Cancelled, Retried int }
	Seconds   float64
	Tasks     []task
}

// task is how one task ended.
type task struct {
	Index, Attempts int
	State           string
	ExitCode        *int
	Signal          int
	Reason          string
	Message         string
	Seconds         float64
}

// runJSON executes "runnel run --format json" and reads what it prints: every
// line must be JSON of a known form, the last one the execution.
func (h *host) runJSON(args ...string) output {
	h.Helper()
	return h.run(append([]string{"--format", "json"}, args...)...).json()
}

// json reads a result as JSON.
func (r result) json() output {
	r.h.Helper()
	o := output{result: r}
	text := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
	for i, l := range text {
		var into any = new(line)
		last := i == len(text)-1
		if last {
			into = &struct{ Execution *execution }{&o.execution}
		}
		d := json.NewDecoder(bytes.NewReader([]byte(l)))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil {
			r.h.Fatalf("line %d of the output, %q: %v\n%s", i+1, clip(l), err, r)
		}
		if !last {
			o.lines = append(o.lines, *into.(*line))
		}
	}
	return o
}

// texts are the lines that task printed to stream, of all attempts.
func (o output) texts(task int, stream string) (texts []string) {
	for _, l := range o.lines {
		if l.Task == task && l.Stream == stream {
			texts = append(texts, l.Text)
		}
	}
	return texts
}

// text is what task printed to stream, joined.
func (o output) text(task int, stream string) string {
	return strings.Join(o.texts(task, stream), "\n")
}

// task fails the test at once if there is no such task.
func (o output) task(index int) task {
	o.h.Helper()
	if index >= len(o.execution.Tasks) || o.execution.Tasks[index].Index != index {
		o.h.Fatalf("no task %d in the result\n%s", index, o.result)
	}
	return o.execution.Tasks[index]
}
