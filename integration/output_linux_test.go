package integration

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"runnel/integration/rig"
)

// output is what --format json says.
type output struct {
	rig.Result
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
func runJSON(h *rig.Host, args ...string) output {
	h.Helper()
	return readJSON(h.Run(append([]string{"--format", "json"}, args...)...))
}

// readJSON reads a result as JSON.
func readJSON(r rig.Result) output {
	r.Host.Helper()
	o := output{Result: r}
	text := strings.Split(strings.TrimSuffix(r.Stdout, "\n"), "\n")
	for i, l := range text {
		var into any = new(line)
		last := i == len(text)-1
		if last {
			into = &struct{ Execution *execution }{&o.execution}
		}
		d := json.NewDecoder(bytes.NewReader([]byte(l)))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil {
			r.Host.Fatalf("line %d of the output, %q: %v\n%s", i+1, rig.Clip(l), err, r)
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
	o.Host.Helper()
	if index >= len(o.execution.Tasks) || o.execution.Tasks[index].Index != index {
		o.Host.Fatalf("no task %d in the result\n%s", index, o.Result)
	}
	return o.execution.Tasks[index]
}
