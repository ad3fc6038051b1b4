package logs

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"runnel/logs/servicelog"
	"runnel/runtime/logfile"
)

// contract: WP-8, LOG-1, LOG-4, LOG-8, LOG-9
func TestStreamOfAWorkerPool(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("mill") // a service of the same name
	w.print("mill-1", logfile.Stdout, "of the service")
	pool := w.services.addPool("mill")
	first, second := pool+"/revisions/mill-00001-abc", pool+"/revisions/mill-00002-def"
	w.services.start("mill-2", first, "web", "side")
	w.services.start("mill-3", second, "web")
	out := w.record()
	w.print("mill-2", logfile.Stdout, "one")
	w.print("mill-2-1", logfile.Stderr, `{"severity":"ERROR","message":"two"}`)
	w.print("mill-3", logfile.Stdout, "three")
	out.Tell(said(first, "mill-2", "Starting new instance."))
	all := w.await(pool+":stream?system=true", 4)
	for i, want := range []struct{ log, severity, container, instance, revision, text string }{
		{"stdout", "DEFAULT", "web", "mill-2", "mill-00001-abc", "one"},
		{"stderr", "ERROR", "side", "mill-2", "mill-00001-abc", "two"},
		{"stdout", "DEFAULT", "web", "mill-3", "mill-00002-def", "three"},
		{"varlog%2Fsystem", "INFO", "web", "mill-2", "mill-00001-abc", "Starting new instance."},
	} {
		e := all[i]
		if e.LogName != "projects/local/logs/run.googleapis.com%2F"+want.log || text(e) != want.text || e.Severity != want.severity ||
			e.Labels["container_name"] != want.container || e.Labels["instanceId"] != "public-"+want.instance {
			t.Errorf("entry %d: %s %q %v", i, e.LogName, text(e), e.Labels)
		}
		resource := "{cloud_run_worker_pool map[location:us-central1 project_id:local revision_name:" + want.revision + " worker_pool_name:mill]}"
		if got := fmt.Sprint(e.Resource); got != resource {
			t.Errorf("entry %d: resource %s", i, got)
		}
	}
	if got := lines(w.get(first + ":stream")); got != "one|two" {
		t.Errorf("first revision: %s", got)
	}
	for path, want := range map[string]int{
		pool + "/revisions/nosuch:stream":         http.StatusNotFound,
		pool + "x:stream":                         http.StatusNotFound,
		pool + "/executions/x:stream":             http.StatusNotFound,
		strings.ToLower(pool) + ":stream":         http.StatusNotFound,
		pool + ":stream?task=1":                   http.StatusBadRequest,
		pool + "/revisions/mill-1:stream?limit=x": http.StatusBadRequest,
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

// contract: WP-8, LOG-12
func TestListOfWorkerPools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("hello")
	w.print("hello-1", logfile.Stdout, "of a service")
	_, revision, out := w.work("mill")
	_, _, _ = w.work("other")
	w.print("mill-1", logfile.Stdout, "plain", `{"severity":"ERROR","message":"bad","code":7}`)
	w.print("other-1", logfile.Stderr, "of another")
	out.Tell(said(revision, "mill-1", "Starting new instance."))
	w.await(revision+":stream?system=true", 3)
	for filter, want := range map[string]string{
		"": `of a service|plain|"bad"|of another|Starting new instance.`,
		"resource.type = %s \n AND resource.labels.worker_pool_name = mill \n AND resource.labels.location = us-central1 \n AND severity >= DEFAULT": `plain|"bad"|Starting new instance.`,
		"resource.type=%s AND resource.labels.revision_name=mill-00001-abc AND resource.labels.location=us-central1":                                 `plain|"bad"|Starting new instance.`,
		"resource.type=%s":                                          `plain|"bad"|of another|Starting new instance.`,
		"resource.type=%s AND severity>=ERROR":                      `"bad"`,
		"resource.labels.worker_pool_name=other":                    "of another",
		"resource.labels.worker_pool_name=mill AND textPayload:pla": "plain",
		"resource.labels.worker_pool_name=nosuch":                   "",
		"resource.labels.worker_pool_name=hello":                    "",
		"resource.labels.service_name=mill":                         "",
		"resource.labels.job_name=mill":                             "",
		"resource.type=cloud_run_revision":                          "of a service",
		"resource.type=cloud_run_job":                               "",
		"resource.type=%s AND resource.labels.location=europe":      "",
	} {
		filter = strings.ReplaceAll(filter, "%s", poolType)
		entries, _ := w.list(map[string]any{"resourceNames": local(), "filter": filter})
		if got := lines(entries); got != want {
			t.Errorf("%s: %s\nwant %s", filter, got, want)
		}
	}
}

// What is left of a worker pool that is gone goes; what one has stays, as do the
// logs of its instances while these live.
//
// contract: LOG-10
func TestSweepOfWorkerPools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pool, revision, _ := w.work("mill")
	w.services.start("mill-2", revision, "web")
	for _, id := range []string{"mill-1", "mill-2"} {
		w.print(id, logfile.Stdout, strings.Repeat("x", 999))
	}
	w.services.end("mill-2")
	gone := pool + "-that-is-gone"
	out := servicelog.New(w.dir, logfile.MinLimit)
	out.Tell(said(revision, "mill-1", "Starting new instance."))
	out.Tell(said(gone+"/revisions/x-00001-abc", "x-1", "Starting new instance."))
	ended, end := context.WithCancel(t.Context())
	end()
	out.Run(ended) // all is written when it returns
	there := func(id string) bool {
		_, err := os.Stat(logfile.Path(w.dir, id))
		return err == nil
	}
	if s, err := w.logs.Sweep(t.Context(), 1<<30); err != nil || s.Instances != 1 || there(servicelog.ID(gone, servicelog.System)) {
		t.Errorf("with room enough: %+v, %v", s, err)
	}
	if _, err := w.logs.Sweep(t.Context(), 0); err != nil {
		t.Error(err)
	}
	for id, want := range map[string]bool{servicelog.ID(pool, servicelog.System): true, "mill-1": true, "mill-2": false} {
		if there(id) != want {
			t.Errorf("%s is there: %v", id, !want)
		}
	}
}
