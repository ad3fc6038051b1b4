package contract

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/integration/rig"
)

// contract: LOG-1
func TestLOG1LinesBecomeEntries(t *testing.T) {
	d := logged(t)
	for text, log := range map[string]string{"a line": "run.googleapis.com/stdout", "an error": "run.googleapis.com/stderr"} {
		all := entries(d, aboutJob+` AND textPayload="`+text+`"`)
		if len(all) != 3 {
			t.Errorf("%d entries of %q, want one of each attempt", len(all), text)
		}
		for _, e := range all {
			if e.log() != log || e.Severity != "DEFAULT" {
				t.Errorf("%q is in %s, with severity %s", text, e.LogName, e.Severity)
			}
		}
	}
	all := entries(d, aboutServe+` AND textPayload="of the service"`)
	if len(all) != 2 || all[0].log() != "run.googleapis.com/stdout" || all[0].Severity != "DEFAULT" {
		t.Errorf("of the service: %+v", all)
	}
}

// contract: LOG-2
func TestLOG2RequestsHaveEntries(t *testing.T) {
	d := logged(t)
	for code, severity := range map[int]string{200: "INFO", 404: "WARNING", 500: "ERROR"} {
		all := entries(d, aboutServe+` AND log_id("run.googleapis.com/requests") AND httpRequest.status=`+strconv.Itoa(code)+` AND httpRequest.requestUrl:"/status"`)
		if len(all) != 1 {
			t.Fatalf("%d entries of the request that is answered with %d", len(all), code)
		}
		e := all[0]
		if e.log() != "run.googleapis.com/requests" || e.Severity != severity {
			t.Errorf("%d is in %s, with severity %s", code, e.LogName, e.Severity)
		}
		for field, want := range map[string]string{
			"requestMethod": "GET", "requestUrl": `http://` + logService + `\.run\.localhost[:0-9]*/status\?code=` + strconv.Itoa(code) + `&q=1`,
			"status": strconv.Itoa(code), "userAgent": "tester/1", "referer": "http://from.example/", "remoteIp": `127\.0\.0\.1`,
			"serverIp": `\d+(\.\d+){3}`, "latency": `\d+(\.\d+)?s`, "responseSize": `\d+`, "protocol": `HTTP/1\.1`,
		} {
			if got := fmt.Sprint(e.HTTPRequest[field]); !regexp.MustCompile(`^` + want + `$`).MatchString(got) {
				t.Errorf("%d: %s is %s, want %s", code, field, got, want)
			}
		}
	}
}

// contract: LOG-4
func TestLOG4PlatformSpeaksInTheSystemLog(t *testing.T) {
	d := logged(t)
	for script, name := range map[string]string{"exit 3": nameOf(t, "fails"), "tail /dev/zero": nameOf(t, "grows")} {
		d.CLI("jobs", "deploy", name, "--image", d.Host.Shell(), "--args", script, "--cpu", "0.2", "--memory", "128Mi",
			"--max-retries", "0", "--execute-now", "--wait").Exits(1)
	}
	passing(t, d, "services", nameOf(t))
	d.Deploy(nameOf(t)).Exits(0)
	d.CLI("services", "update", nameOf(t), "--scaling", "0").Exits(0)
	const system = ` AND log_id("run.googleapis.com/varlog/system")`
	for _, c := range []struct{ about, says, severity string }{
		{aboutJob, "Container called exit(0).", "INFO"},
		{`resource.labels.job_name="` + nameOf(t, "fails") + `"`, "Container called exit(3).", "WARNING"},
		{`resource.labels.job_name="` + nameOf(t, "grows") + `"`, "Memory limit of 128 MiB exceeded", "ERROR"},
		{aboutServe, "Starting new instance. Reason: DEPLOYMENT_ROLLOUT", "INFO"},
		{`resource.labels.service_name="` + nameOf(t) + `"`, "Shutting down user disabled instance", "INFO"},
	} {
		d.Until("the system log says "+c.says, func() bool {
			return slices.ContainsFunc(entries(d, c.about+system), func(e logEntry) bool {
				return strings.HasPrefix(e.text(), c.says) && e.Severity == c.severity && e.log() == "run.googleapis.com/varlog/system"
			})
		})
	}
	if out := d.CLI("jobs", "logs", nameOf(t, "fails")).Exits(0).Stdout; out != "" {
		t.Errorf("it is shown to those who have not asked for it:\n%s", out)
	}
	d.CLI("jobs", "logs", nameOf(t, "fails"), "--system").Exits(0).Shows("Container called exit(3).")
}

// contract: LOG-6
func TestLOG6FieldsAreLiftedOutOfJSON(t *testing.T) {
	d := logged(t)
	all := entries(d, aboutJob+` AND jsonPayload.message="structured"`)
	if len(all) != 3 {
		t.Fatalf("%d entries, want one of each attempt", len(all))
	}
	e := all[0]
	if fmt.Sprint(e.JSONPayload) != "map[code:7 message:structured]" || e.TextPayload != nil {
		t.Errorf("the payload is %v, %q", e.JSONPayload, e.text())
	}
	if e.Severity != "WARNING" || e.InsertID != "mine" || !e.Timestamp.Equal(time.Date(2020, 1, 2, 3, 4, 5, 600_000_000, time.UTC)) {
		t.Errorf("severity %s, insertId %s, timestamp %v", e.Severity, e.InsertID, e.Timestamp)
	}
	if e.Trace != "projects/local/traces/0123456789abcdef0123456789abcdef" || e.SpanID != "00f067aa0ba902b7" || !e.TraceSampled {
		t.Errorf("trace %s, spanId %s, traceSampled %t", e.Trace, e.SpanID, e.TraceSampled)
	}
	if got := fmt.Sprint(e.HTTPRequest, e.Operation, e.SourceLocation); got != "map[requestMethod:PUT status:201] map[first:true id:o] map[file:a.py line:3]" {
		t.Errorf("httpRequest, operation and sourceLocation: %s", got)
	}
	if e.Labels["team"] != "data" || e.Labels["container_name"] == "" {
		t.Errorf("labels %v", e.Labels)
	}
	// What is no object, and what has nothing but a message, is text.
	for _, text := range []string{"only this", `{\"torn\":`} {
		if n := len(entries(d, aboutJob+` AND textPayload="`+text+`"`)); n != 3 {
			t.Errorf("%d entries of %s, want 3", n, text)
		}
	}
	shown := d.CLI("jobs", "logs", logJob, "--log-filter", "severity=WARNING").Exits(0).Stdout
	if n := len(regexp.MustCompile(`(?m)^2020-01-02 03:04:05 PUT 201 +structured$`).FindAllString(shown, -1)); n != 3 {
		t.Errorf("the command shows\n%s", rig.Clip(shown))
	}
}

// contract: LOG-7
func TestLOG7EntriesOfARequestCarryItsTrace(t *testing.T) {
	d := logged(t)
	for by, trace := range map[string]string{"parent": parentTrace, "cloud": cloudTrace} {
		all := entries(d, aboutServe+` AND trace="projects/local/traces/`+trace+`"`)
		if len(all) != 1 || !strings.HasSuffix(fmt.Sprint(all[0].HTTPRequest["requestUrl"]), "by="+by) || !all[0].TraceSampled {
			t.Errorf("by %s: %+v", by, all)
		}
	}
	// One that brings none is given one.
	for _, e := range someEntries(d, aboutServe+` AND httpRequest.requestUrl:"/status"`) {
		if !regexp.MustCompile(`^projects/local/traces/[0-9a-f]{32}$`).MatchString(e.Trace) {
			t.Errorf("its trace is %s", e.Trace)
		}
	}
}

// contract: LOG-8
func TestLOG8ResourcesHaveTheirLabels(t *testing.T) {
	d := logged(t)
	pool := nameOf(t)
	passing(t, d, "worker-pools", pool)
	d.CLI("worker-pools", "deploy", pool, "--image", d.Host.Shell(), "--args", "^\x01^"+goesOn, "--cpu", "0.1", "--memory", "128Mi", "--revision-suffix", "v1").Exits(0)
	about := `resource.type="cloud_run_worker_pool" AND resource.labels.worker_pool_name="` + pool + `"`
	d.Until("the worker pool prints", func() bool { return len(entries(d, about+` AND textPayload="here I am"`)) > 0 })
	d.CLI("worker-pools", "update", pool, "--instances", "0").Exits(0)
	for about, want := range map[string]string{
		aboutJob:   "map[job_name:" + logJob + " location:us-central1 project_id:local]",
		aboutServe: "map[configuration_name:" + logService + " location:us-central1 project_id:local revision_name:" + logService + "-v1 service_name:" + logService + "]",
		about:      "map[location:us-central1 project_id:local revision_name:" + pool + "-v1 worker_pool_name:" + pool + "]",
	} {
		for _, e := range someEntries(d, about) {
			if got := fmt.Sprint(e.Resource.Labels); got != want {
				t.Errorf("%q has %s, want %s", e.text(), got, want)
			}
		}
	}
}

// contract: LOG-9
func TestLOG9LabelsTellWhichInstance(t *testing.T) {
	d := logged(t)
	seen := map[string]bool{}
	for _, e := range entries(d, aboutJob+` AND textPayload="a line"`) {
		if e.Labels["instanceId"] == "" || e.Labels["container_name"] == "" || !strings.HasPrefix(e.Labels["run.googleapis.com/execution_name"], logJob+"-") {
			t.Errorf("labels %v", e.Labels)
		}
		seen["task "+e.Labels["run.googleapis.com/task_index"]+", attempt "+e.Labels["run.googleapis.com/task_attempt"]] = true
	}
	if fmt.Sprint(seen) != "map[task 0, attempt 0:true task 1, attempt 0:true task 1, attempt 1:true]" {
		t.Errorf("seen are %v", seen)
	}
	for _, e := range someEntries(d, aboutServe+` AND log_id("run.googleapis.com/stdout")`) {
		if !regexp.MustCompile(`^[0-9a-f]{60,}$`).MatchString(e.Labels["instanceId"]) || e.Labels["container_name"] == "" || e.Labels["run.googleapis.com/execution_name"] != "" {
			t.Errorf("labels of the service: %v", e.Labels)
		}
	}
}

// contract: LOG-10
func TestLOG10LongLinesAreSplit(t *testing.T) {
	d := logged(t)
	for letter, want := range map[string][]int{"x": {maxEntry}, "y": {maxEntry, maxEntry, 1}} {
		var lengths []int
		for _, e := range entries(d, aboutJob+` AND textPayload=~"^`+letter+`+$"`) {
			lengths = append(lengths, len(e.text()))
		}
		if !slices.Equal(lengths, want) {
			t.Errorf("the line of %ss has entries of %v bytes, want %v", letter, lengths, want)
		}
	}
}

// contract: LOG-11
// A writer that prints more than is taken in the time goes on to its end.
func TestLOG11EntriesKeepTheirOrder(t *testing.T) {
	d := logged(t)
	next := 1
	for _, e := range entries(d, aboutJob+` AND textPayload=~"^[0-9]+$"`) {
		if e.text() != strconv.Itoa(next) {
			t.Fatalf("%s stands where %d should", rig.Clip(e.text()), next)
		}
		next++
	}
	if next != 3001 {
		t.Errorf("%d entries, want 3000", next-1)
	}
	// More lines than are taken at once.
	d.CLI("jobs", "deploy", nameOf(t), "--image", d.Host.Shell(), "--args", "^\x01^"+`head -c 130000 /dev/zero | tr '\0' '\n'; echo the end`,
		"--cpu", "0.2", "--memory", "128Mi", "--execute-now", "--wait").Exits(0)
	if out := d.CLI("jobs", "logs", nameOf(t), "--limit", "1").Exits(0).Stdout; !strings.HasSuffix(out, " the end\n") {
		t.Errorf("the last line is %s", out)
	}
}

// contract: LOG-12
func TestLOG12LogsAreReadBoundedFilteredAndFollowed(t *testing.T) {
	d := logged(t)
	read := func(args ...string) string {
		return d.CLI(append(args, "--log-filter", `textPayload=~"^[0-9]+$"`)...).Exits(0).Stdout
	}
	if out := read("jobs", "logs", "read", logJob, "--limit", "2"); !regexp.MustCompile(`^\S+ \S+ 2999\n\S+ \S+ 3000\n$`).MatchString(out) {
		t.Errorf("the last two:\n%s", rig.Clip(out))
	}
	out := d.CLI("services", "logs", "read", logService, "--severity", "ERROR").Exits(0).Stdout
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GET 500 http://` + logService + `\S*/status\?code=500&q=1 \S+s\n$`).MatchString(out) {
		t.Errorf("errors of the service:\n%s", out)
	}
	if other := d.CLI("services", "logs", logService, "--log-filter", "severity>=ERROR").Exits(0).Stdout; other != out {
		t.Errorf("by a filter:\n%s", other)
	}
	for filter, want := range map[string]int{
		aboutJob + ` AND severity>=WARNING AND NOT log_id("run.googleapis.com/varlog/system")`:               3,
		aboutJob + ` AND labels."run.googleapis.com/task_index"="1" AND log_id("run.googleapis.com/stderr")`: 2,
		aboutServe + ` AND httpRequest.status>=400`:                                                          2,
		aboutServe + ` AND timestamp<"2020-01-01T00:00:00Z"`:                                                 0,
	} {
		if n := len(entries(d, filter)); n != want {
			t.Errorf("%s finds %d entries, want %d", filter, n, want)
		}
	}

	tail := d.StartCLI(func(*exec.Cmd) {}, "services", "logs", "tail", logService, "--limit", "1")
	tail.Says(tail.Stdout, "\n")
	d.Get(logService, "/log?text=told+meanwhile").Is(d.Host, 200)
	tail.Says(tail.Stdout, " told meanwhile\n")
	tail.Signal(syscall.SIGINT)
	tail.Wait().Exits(130)
}
