package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/integration/rig"
)

// logEntry is an entry of Cloud Logging as its API has it.
type logEntry struct {
	LogName, Severity, InsertID, Trace, SpanID string

	TraceSampled bool
	Timestamp    time.Time
	TextPayload  *string
	JSONPayload  map[string]any
	Labels       map[string]string
	Resource     struct {
		Type   string
		Labels map[string]string
	}
	HTTPRequest, Operation, SourceLocation map[string]any
}

// text is the line of an entry that is one.
func (e logEntry) text() string {
	if e.TextPayload == nil {
		return ""
	}
	return *e.TextPayload
}

// log is the last part of the name of an entry's log.
func (e logEntry) log() string {
	return strings.ReplaceAll(strings.TrimPrefix(e.LogName, "projects/local/logs/"), "%2F", "/")
}

// entries are those that a filter lets through, the oldest first, as entries.list
// of the Cloud Logging API has them.
func entries(d *rig.Daemon, filter string) (all []logEntry) {
	d.Host.Helper()
	client := d.HTTPClient()
	defer client.CloseIdleConnections()
	for token := ""; ; {
		body, err := json.Marshal(map[string]any{"resourceNames": []string{"projects/local"}, "filter": filter, "pageSize": 1000, "pageToken": token})
		if err != nil {
			d.Host.Fatal(err)
		}
		resp, err := client.Post("http://daemon/v2/entries:list", "application/json", bytes.NewReader(body))
		if err != nil {
			d.Host.Fatal(err)
		}
		var page struct {
			Entries       []logEntry
			NextPageToken string
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		_ = resp.Body.Close() // it has been read
		if err != nil || resp.StatusCode != http.StatusOK {
			d.Host.Fatalf("%s: %s, %v", filter, resp.Status, err)
		}
		if all = append(all, page.Entries...); page.NextPageToken == "" {
			return all
		}
		token = page.NextPageToken
	}
}

// someEntries is entries where there must be some: what is wanted of each would
// hold for none.
func someEntries(d *rig.Daemon, filter string) []logEntry {
	d.Host.Helper()
	all := entries(d, filter)
	if len(all) == 0 {
		d.Host.Errorf("there are no entries of %s", filter)
	}
	return all
}

// The job and the service that print everything that tests of logs look for.
const (
	logJob     = "log-job"
	logService = "log-service"
	aboutJob   = `resource.type="cloud_run_job" AND resource.labels.job_name="` + logJob + `"`
	aboutServe = `resource.type="cloud_run_revision" AND resource.labels.service_name="` + logService + `"`
)

// structured is a line of JSON with everything that is lifted out of it.
const structured = `{"severity":"warning","message":"structured","time":"2020-01-02T03:04:05.6Z","code":7,` +
	`"httpRequest":{"requestMethod":"PUT","status":201},"logging.googleapis.com/labels":{"team":"data"},` +
	`"logging.googleapis.com/trace":"0123456789abcdef0123456789abcdef","logging.googleapis.com/spanId":"00f067aa0ba902b7",` +
	`"logging.googleapis.com/trace_sampled":true,"logging.googleapis.com/insertId":"mine",` +
	`"logging.googleapis.com/operation":{"id":"o","first":true},"logging.googleapis.com/sourceLocation":{"file":"a.py","line":"3"}}`

// Traces that requests bring, by the header that has them.
const (
	parentTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	cloudTrace  = "105445aa7843bc8bf206b12000100000"
)

// maxEntry is the most that the text of an entry has, in bytes.
const maxEntry = 256 << 10

// logged begins what fills the logs, once for all tests, and gives the daemon.
// Task 1 of the job fails at first.
func logged(t *testing.T) *rig.Daemon {
	t.Helper()
	d := daemon(t)
	logsFilled.Do(func() {
		script := `echo a line; echo an error >&2; echo '` + structured + `'; echo '{"message":"only this"}'; echo '{"torn":'
			[ "$CLOUD_RUN_TASK_INDEX" != 1 ] || [ "$CLOUD_RUN_TASK_ATTEMPT" = 1 ] || exit 3
			[ "$CLOUD_RUN_TASK_INDEX" = 0 ] || exit 0
			seq 1 3000; head -c ` + fmt.Sprint(maxEntry) + ` /dev/zero | tr '\0' x; echo; head -c ` + fmt.Sprint(2*maxEntry+1) + ` /dev/zero | tr '\0' y; echo`
		d.CLI("jobs", "deploy", logJob, "--image", d.Host.Shell(), "--args", "^\x01^"+script, "--tasks", "2", "--max-retries", "1",
			"--cpu", "0.1", "--memory", "128Mi", "--execute-now", "--wait").Exits(0)
		d.Deploy(logService, "--revision-suffix", "v1").Exits(0)
		for _, code := range []int{200, 404, 500} {
			path := fmt.Sprintf("/status?code=%d&q=1", code)
			d.Get(logService, path, "User-Agent", "tester/1", "Referer", "http://from.example/").Is(d.Host, code)
		}
		d.Get(logService, "/log?text=of+the+service&by=parent", "Traceparent", "00-"+parentTrace+"-00f067aa0ba902b7-01").Is(d.Host, 200)
		d.Get(logService, "/log?text=of+the+service&by=cloud", "X-Cloud-Trace-Context", cloudTrace+"/1;o=1").Is(d.Host, 200)
		// What the service says comes by another way than what is said of it.
		d.Until("the log has the requests, and what was said in two", func() bool {
			return len(entries(d, aboutServe+` AND log_id("run.googleapis.com/requests")`)) >= 5 &&
				len(entries(d, aboutServe+` AND textPayload="of the service"`)) >= 2
		})
	})
	return d
}

// logsFilled is done when the job has ended and the service has answered.
var logsFilled sync.Once
