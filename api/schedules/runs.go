package schedules

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	"runnel/api/rest"
	"runnel/control"
)

// RunsPattern is where the runs of a schedule are shown, as http.ServeMux has
// patterns.
const RunsPattern = "GET " + runsPrefix + "projects/{project}/locations/{location}/jobs/{schedule}" + runsSuffix

const (
	runsPrefix = "/runnel/v1/schedules/"
	runsSuffix = "/runs"
)

// RunsPath is where those of the schedule with the full name are.
func RunsPath(name string) string { return runsPrefix + name + runsSuffix }

// Runs is the answer there: the newest first, 100 at most.
type Runs struct {
	Runs []Run `json:"runs"`
}

// Run is what became of one tick of a schedule, or of one run that was asked for.
type Run struct {
	// ScheduleTime is the tick; zero if the run was asked for. AttemptTime is when
	// it was seen to.
	ScheduleTime time.Time `json:"scheduleTime,omitzero"`
	AttemptTime  time.Time `json:"attemptTime"`
	// Missed is how many ticks before it nobody has run, nor will; 100 means that
	// many or more.
	Missed int `json:"missed,omitempty"`
	// Execution is the short name of what was made, ExecutionName the full one;
	// empty if nothing was.
	Execution     string `json:"execution,omitempty"`
	ExecutionName string `json:"executionName,omitempty"`
	// Result is running, succeeded, failed or cancelled, as the execution is,
	// removed if it is not there any more, and else "left out".
	Result string `json:"result"`
	// Status is a code such as NOT_FOUND, and Message why there is no execution.
	Status  string `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
}

// NewRunsHandler answers what RunsPattern matches.
func NewRunsHandler(c *control.Control) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "projects/" + r.PathValue("project") + "/locations/" + r.PathValue("location") + "/jobs/" + r.PathValue("schedule")
		runs, err := c.ScheduledRuns(r.Context(), name)
		if err != nil {
			rest.WriteError(w, err)
			return
		}
		answer := Runs{Runs: []Run{}}
		for _, run := range runs {
			answer.Runs = append(answer.Runs, show(c, run))
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(answer) // the client may have gone
	})
}

// show is a run as it is told.
func show(c *control.Control, r control.ScheduledRun) Run {
	told := Run{
		ScheduleTime: r.Scheduled, AttemptTime: r.Attempted, Missed: r.Missed,
		Execution: r.Execution[strings.LastIndexByte(r.Execution, '/')+1:], ExecutionName: r.Execution,
		Result: c.ResultOf(r), Message: r.Message,
	}
	if r.Code != codes.OK {
		told.Status = code.Code(r.Code).String()
	}
	return told
}
