package wire_test

import (
	"fmt"
	"net"
	"net/http"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api/wire"
	"runnel/control/controltest"
)

// Each path reaches the one who answers it.
func TestPathsReachTheirHandlers(t *testing.T) {
	t.Parallel()
	tell := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	}
	w := controltest.New(t)
	s := start(t, wire.Config{
		Control:  w.Control,
		V1:       tell("v1"),
		Handlers: map[string]http.Handler{"POST /v2/entries:list": tell("entries"), "/logs/v1/": tell("logs")},
	})
	const region = "projects/local/locations/us-central1"
	for target, want := range map[string]string{
		"GET /v2/" + region + "/jobs":                    "{}\n",
		"GET /v2/" + region + "/operations":              "{}\n",
		"GET /v2/projects/local/locations":               `"locationId": "us-central1"`,
		"GET /v1/projects/local/locations":               `"locationId": "us-central1"`,
		"GET /v1/projects/local/locations?alt=json":      `"locationId": "us-central1"`,
		"GET /v1/" + region:                              `"locationId": "us-central1"`,
		"GET /v1/" + region + "/operations":              "v1",
		"POST /v1/" + region + "/operations/o:wait":      "v1",
		"GET /v1/" + region + "/jobs/j:getIamPolicy":     "v1",
		"GET /apis/run.googleapis.com/v1/namespaces/x":   "v1",
		"POST /v2/entries:list":                          "entries",
		"GET /v2/entries:list":                           `"code": 404`,
		"GET /logs/v1/" + region + "/jobs/j:stream":      "logs",
		"GET /healthz":                                   "ok\n",
		"GET /":                                          `"code": 404`,
		"GET /favicon.ico":                               `"code": 404`,
		"GET /v2/" + region + "/instances":               `"code": 501`,
		"GET /v2/" + region + "/jobs/" + token:           `"code": 404`,
		"GET /v2/" + region + "/jobs?pageToken=nonsense": `"code": 400`,
		"GET /v2/" + region + "/operations?filter=a%3Db": `"code": 400`,
		"GET /v2/" + region + "/jobs?pageSize=100000":    "{}\n",
		"POST /v2/" + region + "/jobs?jobId=Bad":         `"code": 400`,
	} {
		method, path, _ := strings.Cut(target, " ")
		_, _, text := get(t, newClient(t, false, nil), method, "http://"+s.addr+path, "")
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", target, text, want)
		}
	}
}

// A path with dots or without a name in it is not taken for another one: who
// asks for an execution called ".." to be deleted does not mean the job.
func TestPathsAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	v1 := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "v1") }
	s := start(t, wire.Config{Control: w.Control, V1: http.HandlerFunc(v1)})
	if _, _, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "j", Job: newJob()}); err != nil {
		t.Fatal(err)
	}
	const job = "/v2/" + controltest.Parent + "/jobs/j"
	for _, path := range []string{
		job + "/executions/..", job + "/executions/.", job + "//executions/..", "//v2/" + controltest.Parent + "/jobs/j",
		"/x/.." + job, "/./" + job, "/apis//jobs", "/apis/run.googleapis.com/v1/namespaces//jobs/j",
	} {
		code, _, text := get(t, newClient(t, false, nil), "DELETE", "http://"+s.addr+path, "")
		if code != 404 || !strings.Contains(text, `"NOT_FOUND"`) {
			t.Errorf("DELETE %s: %d %s", path, code, text)
		}
	}
	if got, err := w.Control.Job(t.Context(), controltest.Parent+"/jobs/j"); err != nil || got.GetDeleteTime() != nil {
		t.Errorf("the job is gone: %v, %v", got, err)
	}
}

// What a peer of the unix socket makes is by its user; over TCP it is by a name
// for all.
func TestCreatorIsTheCaller(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	w := controltest.New(t)
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	startOn(t, wire.Config{Control: w.Control, Caller: "somebody"}, unix, tcp)
	for target, want := range map[string]string{"unix:" + path: me.Username, tcp.Addr().String(): "somebody"} {
		c := runpb.NewJobsClient(dial(t, target))
		id := "job-of-" + want
		if _, err := c.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: id, Job: newJob()}); err != nil {
			t.Fatal(err)
		}
		job, err := c.GetJob(t.Context(), &runpb.GetJobRequest{Name: controltest.Parent + "/jobs/" + id})
		if err != nil || job.GetCreator() != want || job.GetLastModifier() != want {
			t.Errorf("%s: by %q, %q, want %q: %v", target, job.GetCreator(), job.GetLastModifier(), want, err)
		}
	}
}
