package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"runnel/ingress"
	"runnel/runtime/logfile"
)

// asked is a request of a service that was answered with a status.
func asked(service string, code int) *ingress.Entry {
	return &ingress.Entry{
		Time: time.Now(), Latency: 123 * time.Millisecond, Service: service, Revision: "hello-00001-abc", Instance: "public-hello-1",
		Method: "GET", URL: fmt.Sprintf("http://hello.run.localhost:8080/%d", code), Protocol: "HTTP/1.1", UserAgent: "curl/8",
		RemoteIP: "192.0.2.1", ServerIP: "192.0.2.2", Status: code, RequestSize: 100, ResponseSize: 2345,
		TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: "b7ad6b7169203331", Sampled: true,
	}
}

// lines are the texts of entries, or what was requested.
func lines(entries []Entry) string {
	var all []string
	for _, e := range entries {
		text := text(e)
		if e.JSONPayload != nil {
			text = string(e.JSONPayload["message"])
		}
		if e.HTTPRequest != nil {
			var r httpRequest
			_ = json.Unmarshal(e.HTTPRequest, &r) // a test compares
			text = strings.TrimSpace(fmt.Sprintf("%s %d %s", r.RequestMethod, r.Status, text))
		}
		all = append(all, text)
	}
	return strings.Join(all, "|")
}

// await asks for a stream until it has n entries.
func (w *world) await(path string, n int) (all []Entry) {
	w.t.Helper()
	w.Eventually(fmt.Sprintf("%d entries of %s", n, path), func() bool {
		all = w.get(path)
		return len(all) >= n
	})
	return all
}

// contract: LOG-1, LOG-8, LOG-9, HC-11
func TestStreamOfAService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, revision, out := w.serve("hello")
	w.print("hello-1", logfile.Stdout, "one")
	w.print("hello-1-1", logfile.Stderr, "two")
	w.print("hello-1", logfile.Syslog, "three")
	out.Record(asked(service, 200))
	out.Tell(said(revision, "hello-1", "Starting new instance."))
	all := w.await(service+":stream?system=true", 5)
	for i, want := range []struct{ log, container, text string }{
		{"stdout", "web", "one"}, {"stderr", "side", "two"}, {"/dev/log", "web", "three"},
	} {
		e := all[i]
		if !strings.HasSuffix(e.LogName, strings.ReplaceAll("run.googleapis.com/"+want.log, "/", "%2F")) || text(e) != want.text ||
			e.Labels["container_name"] != want.container || e.Labels["instanceId"] != "public-hello-1" {
			t.Errorf("entry %d: %s %q %v", i, e.LogName, text(e), e.Labels)
		}
		const resource = "{cloud_run_revision map[configuration_name:hello location:us-central1 project_id:local revision_name:hello-00001-abc service_name:hello]}"
		if got := fmt.Sprint(e.Resource); got != resource {
			t.Errorf("entry %d: resource %s", i, got)
		}
	}
	ids := make(map[string]bool)
	for _, e := range all {
		ids[e.InsertID] = true
	}
	if len(ids) != 5 {
		t.Errorf("insert IDs %v", ids)
	}
	if got := lines(w.get(service + ":stream")); got != "one|two|three|GET 200" {
		t.Errorf("without the system log: %s", got)
	}
}

// contract: LOG-2, LOG-7
func TestRequestEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, _, out := w.serve("hello")
	failed := asked(service, 429)
	failed.Text, failed.Instance, failed.TraceID = "The request was aborted because there was no available instance.", "", ""
	failed.ResponseSize, failed.Latency = 0, 10*time.Second
	for _, e := range []*ingress.Entry{asked(service, 200), asked(service, 404), asked(service, 500), failed} {
		out.Record(e)
	}
	all := w.await(service+":stream", 4)
	var severities []string
	for _, e := range all {
		severities = append(severities, e.Severity)
		if e.LogName != "projects/local/logs/run.googleapis.com%2Frequests" || e.Resource.Labels["revision_name"] != "hello-00001-abc" {
			t.Errorf("%s of %v", e.LogName, e.Resource)
		}
	}
	if got := strings.Join(severities, " "); got != "INFO WARNING ERROR WARNING" {
		t.Errorf("severities %s", got)
	}
	e := all[0]
	const want = `{"requestMethod":"GET","requestUrl":"http://hello.run.localhost:8080/200","requestSize":"100","status":200,"responseSize":"2345",` +
		`"userAgent":"curl/8","remoteIp":"192.0.2.1","serverIp":"192.0.2.2","latency":"0.123s","protocol":"HTTP/1.1"}`
	if string(e.HTTPRequest) != want || e.Labels["instanceId"] != "public-hello-1" || e.TextPayload != nil {
		t.Errorf("%s\nwant %s\n%v, %q", e.HTTPRequest, want, e.Labels, text(e))
	}
	if e.Trace != "projects/local/traces/0af7651916cd43dd8448eb211c80319c" || e.SpanID != "b7ad6b7169203331" || !e.TraceSampled {
		t.Errorf("trace %s, span %s, %v", e.Trace, e.SpanID, e.TraceSampled)
	}
	if e := all[3]; text(e) != failed.Text || e.Trace != "" || len(e.Labels) > 0 || strings.Contains(string(e.HTTPRequest), "responseSize") {
		t.Errorf("%+v", e)
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 100 * time.Second: "100s", 123 * time.Millisecond: "0.123s",
		1500 * time.Microsecond: "0.001500s", time.Minute + 1: "60.000000001s",
	} {
		if got := seconds(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

// contract: LOG-4, LIFE-14
func TestSystemEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, revision, out := w.serve("hello")
	out.Tell(said(revision, "hello-1", "Shutting down user disabled instance"))
	out.Tell(said(revision, "", "no instance"))
	all := w.await(service+":stream?system=true", 2)
	e := all[0]
	if e.LogName != "projects/local/logs/run.googleapis.com%2Fvarlog%2Fsystem" || e.Severity != "INFO" || text(e) != "Shutting down user disabled instance" {
		t.Errorf("%+v", e)
	}
	if e.Labels["instanceId"] != "public-hello-1" || e.Labels["container_name"] != "web" || e.Resource.Labels["revision_name"] != "hello-00001-abc" {
		t.Errorf("labels %v, %v", e.Labels, e.Resource)
	}
	if id, ok := all[1].Labels["instanceId"]; ok {
		t.Errorf("of no instance: %s", id)
	}
}

func TestStreamOfARevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, first, out := w.serve("hello")
	second := service + "/revisions/hello-00002-def"
	w.services.start("hello-2", second, "web")
	w.print("hello-1", logfile.Stdout, "of the first")
	w.print("hello-2", logfile.Stdout, "of the second")
	out.Record(asked(service, 200))
	other := asked(service, 201)
	other.Revision = "hello-00002-def"
	out.Record(other)
	w.await(service+":stream", 4)
	if got := lines(w.get(first + ":stream")); got != "of the first|GET 200" {
		t.Errorf("first: %s", got)
	}
	if got := lines(w.get(second + ":stream?limit=2")); got != "of the second|GET 201" {
		t.Errorf("second: %s", got)
	}
	for path, want := range map[string]int{
		service + "/revisions/nosuch:stream": http.StatusNotFound,
		service + "x:stream":                 http.StatusNotFound,
		service + "/executions/x:stream":     http.StatusNotFound,
		service + ":stream?task=1":           http.StatusBadRequest,
	} {
		resp, err := w.server.Client().Get(w.server.URL + StreamPath + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

// contract: LOG-12
func TestFollowAService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, revision, out := w.serve("hello")
	w.print("hello-1", logfile.Stdout, "old", "new")
	entries := w.open(t.Context(), service+":stream?follow=true&limit=1")
	if got := text(w.receive(entries)); got != "new" {
		t.Errorf("got %q", got)
	}
	w.services.start("hello-2", revision, "web")
	w.print("hello-2", logfile.Stdout, "of another instance")
	if got := text(w.receive(entries)); got != "of another instance" {
		t.Errorf("got %q", got)
	}
	out.Record(asked(service, 200))
	if got := lines([]Entry{w.receive(entries)}); got != "GET 200" {
		t.Errorf("got %q", got)
	}
	w.print("hello-2", logfile.Stdout, "last words")
	w.services.end("hello-2")
	if got := text(w.receive(entries)); got != "last words" {
		t.Errorf("got %q", got)
	}
	w.services.remove(service)
	select {
	case e, ok := <-entries:
		if ok {
			t.Errorf("after the end: %+v", e)
		}
	case <-time.After(patience):
		t.Error("it goes on after the service was deleted")
	}
}

// What an instance was about to say is told when it has ended.
func TestTheLastLineOfAnInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, _, _ := w.serve("hello")
	part := logfile.Entry{Time: time.Now(), Stream: logfile.Stdout, Partial: true, Text: []byte("half a li")}
	if err := os.WriteFile(logfile.Path(w.dir, "hello-1"), part.Append(nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := w.get(service + ":stream"); len(got) != 0 {
		t.Errorf("before: %s", lines(got))
	}
	entries := w.open(t.Context(), service+":stream?follow=true")
	w.services.end("hello-1")
	if got := text(w.receive(entries)); got != "half a li" {
		t.Errorf("got %q", got)
	}
	w.services.remove(service)
	for range entries { // until it is over
	}
}

// What an earlier service of the name has left is not shown.
func TestOnlyOfThisService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, _, out := w.serve("hello")
	out.Record(asked(service, 200))
	w.await(service+":stream", 1)
	w.services.mu.Lock()
	w.services.services[0].CreateTime.Seconds += 60
	w.services.mu.Unlock()
	if got := w.get(service + ":stream"); len(got) != 0 {
		t.Errorf("%s", lines(got))
	}
}

// contract: LOG-12
func TestListOfServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, revision, out := w.serve("hello")
	other := w.services.add("other")
	w.services.start("other-1", other+"/revisions/other-00001-abc", "web")
	w.print("hello-1", logfile.Stdout, "plain", `{"severity":"ERROR","message":"bad","code":7}`)
	w.print("other-1", logfile.Stderr, "of another")
	for _, code := range []int{200, 404, 500} {
		out.Record(asked(service, code))
	}
	out.Tell(said(revision, "hello-1", "Starting new instance."))
	w.await(service+":stream?system=true", 6)
	const mine = "resource.type = cloud_run_revision AND resource.labels.service_name = hello AND "
	for filter, want := range map[string]string{
		mine + "resource.labels.location = us-central1 \n AND severity >= DEFAULT": `plain|"bad"|GET 200|GET 404|GET 500|Starting new instance.`,
		"":                                `plain|"bad"|of another|GET 200|GET 404|GET 500|Starting new instance.`,
		mine + "severity>=ERROR":          `"bad"|GET 500`,
		mine + "httpRequest.status>=400":  "GET 404|GET 500",
		"httpRequest.requestUrl:\"/200\"": "GET 200",
		mine + `logName="projects/local/logs/run.googleapis.com%2Frequests"`:               "GET 200|GET 404|GET 500",
		`log_id("run.googleapis.com/varlog/system")`:                                       "Starting new instance.",
		"resource.labels.service_name=other":                                               "of another",
		"resource.labels.revision_name=other-00001-abc":                                    "of another",
		"resource.labels.configuration_name=HELLO AND textPayload:plain":                   "plain",
		"resource.labels.service_name=nosuch":                                              "",
		"resource.type=cloud_run_job":                                                      "",
		"resource.labels.job_name=hello":                                                   "",
		`trace="projects/local/traces/0af7651916cd43dd8448eb211c80319c" AND severity=INFO`: "GET 200",
		`labels.container_name=web AND resource.labels.service_name=other`:                 "of another",
		`timestamp<"2000-01-01T00:00:00Z"`:                                                 "",
	} {
		entries, _ := w.list(map[string]any{"resourceNames": local(), "filter": filter, "orderBy": "timestamp desc"})
		slices.Reverse(entries)
		if got := lines(entries); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

// gcloud reads the fields of a request and the text of everything else.
//
// contract: LOG-12
func TestListForGcloud(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, _, out := w.serve("hello")
	w.print("hello-1", logfile.Stdout, `{"message":"bad","code":7}`)
	out.Record(asked(service, 200))
	w.await(service+":stream", 2)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+ListPath,
		strings.NewReader(`{"resourceNames":["projects/local"],"filter":"resource.labels.service_name=hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "google-cloud-sdk gcloud/528.0.0 command/gcloud.run.services.logs.read invocation-id/x")
	resp, err := w.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Entries []Entry }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || len(answer.Entries) != 2 {
		t.Fatalf("%v, %+v", err, answer)
	}
	if got := lines(answer.Entries); got != "bad|GET 200" || answer.Entries[1].TextPayload != nil {
		t.Errorf("%s", got)
	}
}

// Of what has no end the newest are found too.
func TestNewestOfManyThatGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, revision, _ := w.serve("hello")
	for i := 2; i < 6; i++ {
		w.services.start(fmt.Sprintf("hello-%d", i), revision, "web")
	}
	for i := 1; i < 6; i++ {
		w.print(fmt.Sprintf("hello-%d", i), logfile.Stdout, fmt.Sprintf("%d first", i), fmt.Sprintf("%d second", i))
	}
	if got := lines(w.get(service + ":stream?limit=3")); got != "4 second|5 first|5 second" {
		t.Errorf("got %s", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	entries := w.open(ctx, service+":stream?limit=1&follow=true")
	if got := text(w.receive(entries)); got != "5 second" {
		t.Errorf("got %q", got)
	}
}

// The control plane itself tells what is needed of services.
func TestStreamFromTheControlPlane(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logs.services = w.Control
	service := w.Service("hello")
	list, err := w.Control.ServiceInstances(t.Context(), service)
	if err != nil || len(list) == 0 {
		t.Fatalf("%v, %v", list, err)
	}
	w.print(list[0].ID, logfile.Stdout, "one")
	w.record().Record(asked(service, 200))
	all := w.await(service+":stream", 2)
	if lines(all) != "one|GET 200" || all[0].Labels["instanceId"] != list[0].PublicID || all[0].Labels["container_name"] != list[0].Containers[0] {
		t.Errorf("%s, labels %v", lines(all), all[0].Labels)
	}
	entries, _ := w.list(map[string]any{"resourceNames": local(), "filter": "resource.labels.service_name=hello"})
	if lines(entries) != "one|GET 200" {
		t.Errorf("%s", lines(entries))
	}
}
