package jobs

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"runnel/api/wire"
	"runnel/cmd/runnel/clitest"
)

const printed = `{"timestamp":"2026-11-21T10:00:00.5Z","severity":"DEFAULT","textPayload":"hello <you>"}
{"timestamp":"2026-11-21T10:00:01Z","severity":"ERROR","jsonPayload":{"message":"it broke","code":7}}
{"timestamp":"2026-11-21T10:00:02Z","jsonPayload":{"code":7}}
`

// asked is what a daemon's log side was asked.
type asked struct {
	mu       sync.Mutex
	requests []string
}

func (a *asked) note(request string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, request)
}

// last is the latest request.
func (a *asked) last() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.requests) == 0 {
		return ""
	}
	return a.requests[len(a.requests)-1]
}

// handlers answer every request for logs with the same entries.
func (a *asked) handlers(t *testing.T) map[string]http.Handler {
	return map[string]http.Handler{
		"GET /logs/v1/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.note(r.URL.Path + "?" + r.URL.Query().Encode())
			_, _ = io.WriteString(w, printed)
		}),
		"POST /v2/entries:list": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var request struct{ Filter, PageToken string }
			if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
				t.Error(err)
			}
			a.note(request.Filter)
			all := strings.Split(strings.TrimSpace(printed), "\n")
			if request.PageToken == "" {
				fmt.Fprintf(w, `{"entries":[%s,%s],"nextPageToken":"more"}`, all[2], all[1])
				return
			}
			fmt.Fprintf(w, `{"entries":[%s]}`, all[0])
		}),
	}
}

// Who finds nothing learns where else to look.
func TestEmptyLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	socket := filepath.Join(t.TempDir(), "s")
	t.Cleanup(w.Listen("unix", socket, wire.Config{Handlers: map[string]http.Handler{
		"GET /logs/v1/": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	}}))
	w.Host = socket
	w.must("create etl --image busybox")
	for line, want := range map[string]string{
		"logs etl":          "Nothing has been printed. What Runnel has to say about the tasks is shown with --system.\n",
		"logs etl --system": "Nothing has been printed.\n",
		"logs etl --task 3": "Nothing has been printed that the flags are true of.\n",
	} {
		if got := w.do(line); got != (clitest.Outcome{Stderr: want}) {
			t.Errorf("runnel jobs %s: exit %d, %s%s", line, got.Code, got.Stdout, got.Stderr)
		}
	}
}

// contract: LOG-12
func TestLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var a asked
	socket := filepath.Join(t.TempDir(), "s")
	t.Cleanup(w.Listen("unix", socket, wire.Config{Handlers: a.handlers(t)}))
	w.Host = socket
	w.must("create etl --image busybox --wait")
	x := w.latest("etl")
	const job = "/logs/v1/projects/local/locations/us-central1/jobs/etl"
	const text = "2026-11-21 10:00:00 hello <you>\n2026-11-21 10:00:01 it broke\n2026-11-21 10:00:02 {\"code\":7}\n"
	const about = ` AND resource.type = "cloud_run_job" AND resource.labels.job_name = "etl" AND resource.labels.location = "us-central1"`
	for _, c := range []struct{ line, request, want string }{
		{"logs etl", job + ":stream?", text},
		{"logs read etl --limit 5", job + ":stream?limit=5", text},
		{"logs etl --system", job + ":stream?system=true", text},
		{"logs tail etl", job + ":stream?follow=true", text},
		{"executions logs " + x, job + "/executions/" + x + ":stream?", text},
		{"executions logs " + x + " -f --task 3 --severity error", job + "/executions/" + x + ":stream?follow=true&severity=ERROR&task=3", text},
		{"logs etl --format json", job + ":stream?", printed},
		{"logs etl --format value(severity)", job + ":stream?", "DEFAULT\nERROR\n\n"},
		{"logs etl --log-filter severity>=ERROR", "(severity>=ERROR)" + about, text},
		{"logs etl --limit 1 --log-filter x:y", "(x:y)" + about, "2026-11-21 10:00:02 {\"code\":7}\n"},
		{"executions logs " + x + " --task 0 --log-filter x:y", "(x:y)" + about + ` AND labels."run.googleapis.com/execution_name" = "` + x + `" AND labels."run.googleapis.com/task_index" = "0"`, text},
	} {
		got := w.must(c.line)
		if got != c.want || a.last() != c.request {
			t.Errorf("runnel jobs %s\n%s%s\nwant\n%s%s", c.line, got, a.last(), c.want, c.request)
		}
	}
	w.must("logs etl --freshness 1h")
	if !strings.Contains(a.last(), "since=20") {
		t.Errorf("asked for %s", a.last())
	}
	for line, want := range map[string]string{
		"logs":                             "the job's name is missing",
		"logs etl --limit=-1":              "--limit -1: want 1 or more",
		"logs etl --freshness soon":        "--freshness soon: want a duration",
		"logs etl --task 10000":            "--task 10000: want 0 to 9999",
		"logs etl --follow --log-filter x": "--log-filter: cannot stand beside --follow",
	} {
		if got := w.do(line); got.Code != 2 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel jobs %s: exit %d, %s", line, got.Code, got.Stderr)
		}
	}
	if got := w.do("logs nosuch"); got.Code != 1 || !strings.Contains(got.Stderr, "cannot find job [nosuch]") {
		t.Errorf("exit %d, %s", got.Code, got.Stderr)
	}
}
