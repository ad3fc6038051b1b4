package kf_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/protojson"

	"runnel/api/kf"
	"runnel/contract"
	"runnel/control/controltest"
	rimage "runnel/image"
)

// call posts a body to the handler's path below the location of tests.
func call(t *testing.T, w *controltest.World, path, body string) (code int, answer string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+kf.Path+path, strings.NewReader(body))
	recorded := httptest.NewRecorder()
	kf.NewHandler(w.Control).ServeHTTP(recorded, r)
	if !json.Valid(recorded.Body.Bytes()) {
		t.Errorf("%s: no JSON: %s", path, recorded.Body)
	}
	return recorded.Code, recorded.Body.String()
}

// execution is what an operation is about.
func execution(t *testing.T, text string) (*longrunningpb.Operation, *runpb.Execution) {
	t.Helper()
	op := &longrunningpb.Operation{}
	if err := protojson.Unmarshal([]byte(text), op); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	x := &runpb.Execution{}
	if err := op.GetMetadata().UnmarshalTo(x); err != nil {
		t.Fatal(err)
	}
	return op, x
}

// app makes an app of the world, and returns its full name.
func app(t *testing.T, w *controltest.World) string {
	t.Helper()
	w.Images.Configure(controltest.Image, rimage.Config{Entrypoint: []string{"/app"}})
	job := controltest.NewJob(1)
	job.Template.Labels = map[string]string{contract.KfAppLabel: "etl"}
	got, op, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "etl", Job: job})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	return got.GetName()
}

// contract: KF-2, KF-6
func TestATaskIsRunAndTerminated(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := app(t, w)
	w.Instances.Always(controltest.Script{Hold: true})
	code, text := call(t, w, name+":runTask", `{"command":"sleep 9","cpu":"1","memory":"1G","disk":"2G","displayName":"long"}`)
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	op, x := execution(t, text)
	k := x.GetTemplate().GetContainers()[0]
	if op.GetDone() || k.GetArgs()[0] != "sleep 9" || k.GetResources().GetLimits()["memory"] != "1Gi" ||
		x.GetAnnotations()[contract.KfDisk] != "2Gi" || x.GetAnnotations()[contract.KfDisplayName] != "long" {
		t.Errorf("got %v", x)
	}
	if code, text = call(t, w, x.GetName()+":terminate", ""); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	w.Ended(x.GetName())
	if code, text = call(t, w, x.GetName()+":terminate", ""); code != http.StatusBadRequest || !strings.Contains(text, "Can't terminate completed Task") {
		t.Errorf("again: %d %s", code, text)
	}
}

func TestWhatIsNoCallIsRefused(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := app(t, w)
	for _, tt := range []struct {
		path, body string
		code       int
		says       string
	}{
		{name + ":runTask", `{"comand":"x"}`, 400, `unknown field \"comand\"`},
		{name + ":runTask", `[]`, 400, "no task"},
		{name + ":runTask", `{"command":"x"} {}`, 400, "something follows"},
		{name + ":runTask", `{"memory":"1T"}`, 400, "memory"},
		{name + ":run", `{}`, 404, "There is no POST"},
		{name, `{}`, 404, "There is no POST"},
		{controltest.Parent + "/jobs/none:runTask", `{}`, 404, "'none'"},
		{name + "/executions/none:terminate", ``, 404, "'none'"},
		{"anything", ``, 404, "There is no POST"},
	} {
		if code, text := call(t, w, tt.path, tt.body); code != tt.code || !strings.Contains(text, tt.says) {
			t.Errorf("%s %s: %d %s; want %d with %s", tt.path, tt.body, code, text, tt.code, tt.says)
		}
	}
}
