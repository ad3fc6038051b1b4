package logs

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/contract"
)

// maxLimit bounds how many entries may be asked for by number.
const maxLimit = 1_000_000

// streamRequest is what a caller of Stream asks for.
type streamRequest struct {
	// name is the full name of a job, an execution, a service, a worker pool or a
	// revision.
	name   string
	follow bool
	// limit is how many entries to begin with, the newest; 0 for all.
	limit int
	// since is the time that none is older than.
	since    time.Time
	task     int
	severity string
	system   bool
}

// parseStream reads the path, below StreamPath, and the query of a request.
func parseStream(path string, values url.Values) (r streamRequest, err error) {
	r.task = -1
	name, ok := strings.CutSuffix(path, streamVerb)
	parts := strings.Split(name, "/")
	if !ok || !isName(parts) {
		return r, status.Errorf(codes.NotFound, "There is no %s%s: want %sprojects/PROJECT/locations/LOCATION/jobs/JOB[/executions/EXECUTION]%s, or services or workerPools and revisions",
			StreamPath, path, StreamPath, streamVerb)
	}
	r.name = name
	for field, given := range values {
		if err := r.set(field, given[len(given)-1]); err != nil {
			return r, err
		}
	}
	if r.task >= 0 && parts[4] != "jobs" {
		return r, violation("task", "services and worker pools have no tasks")
	}
	return r, nil
}

// isName reports whether parts are those of the name of a job, an execution, a
// service, a worker pool or a revision.
func isName(parts []string) bool {
	if len(parts) != 6 && len(parts) != 8 {
		return false
	}
	collections := []string{"projects", "locations", "jobs", "executions"}
	if parts[4] == "services" || parts[4] == "workerPools" {
		collections[2], collections[3] = parts[4], "revisions"
	}
	for i, part := range parts {
		if part == "" || i%2 == 0 && part != collections[i/2] {
			return false
		}
	}
	return true
}

// set reads one field.
func (r *streamRequest) set(field, value string) (err error) {
	want := ""
	switch field {
	case "follow":
		r.follow, err = strconv.ParseBool(value)
		want = "true or false"
	case "system":
		r.system, err = strconv.ParseBool(value)
		want = "true or false"
	case "limit":
		r.limit, err = number(value, 0, maxLimit)
		want = fmt.Sprintf("a number up to %d", maxLimit)
	case "task":
		r.task, err = number(value, 0, contract.MaxTasks-1)
		want = fmt.Sprintf("an index up to %d", contract.MaxTasks-1)
	case "since":
		r.since, err = time.Parse(time.RFC3339Nano, value)
		want = "a time such as 2026-11-21T10:00:00Z"
	case "severity":
		var ok bool
		if r.severity, ok = parseSeverity(value); !ok {
			err = strconv.ErrSyntax
		}
		want = "a severity such as WARNING"
	case "alt", "$alt", "prettyPrint", "key":
		return nil // what clients of Google's APIs add
	default:
		return violation(field, "there is no such field")
	}
	if err != nil {
		return violation(field, "%q is not %s", value, want)
	}
	return nil
}

// number reads a number within bounds.
func number(s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil && (n < least || n > most) {
		return 0, strconv.ErrRange
	}
	return n, err
}

// violation says what is wrong with a field of a request.
func violation(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	s := status.Newf(codes.InvalidArgument, "%s: %s", field, text)
	detailed, err := s.WithDetails(&errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: text}},
	})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}
