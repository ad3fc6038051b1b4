package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"runnel/api/rest"
)

// probe is a server that remembers the last call and answers as it is told.
type probe struct {
	url string
	// What the last call was.
	method string
	in     proto.Message
	// What it is answered with.
	out proto.Message
	err error
}

// newProbe serves all kinds, with every method answered by the probe.
func newProbe(t testing.TB) *probe {
	t.Helper()
	p := &probe{out: &runpb.Job{}}
	tr := rest.New(rest.Config{
		Rules: map[string]*annotations.HttpRule{
			"/google.longrunning.Operations/WaitOperation": {
				Pattern: &annotations.HttpRule_Post{Post: "/v2/{name=projects/*/locations/*/operations/*}:wait"},
				Body:    "*",
			},
			"/google.longrunning.Operations/GetOperation": {},
		},
		Intercept: func(_ context.Context, in any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
			p.method, p.in = info.FullMethod, in.(proto.Message)
			return p.out, p.err
		},
	})
	runpb.RegisterJobsServer(tr, runpb.UnimplementedJobsServer{})
	runpb.RegisterExecutionsServer(tr, runpb.UnimplementedExecutionsServer{})
	runpb.RegisterTasksServer(tr, runpb.UnimplementedTasksServer{})
	runpb.RegisterServicesServer(tr, runpb.UnimplementedServicesServer{})
	runpb.RegisterWorkerPoolsServer(tr, runpb.UnimplementedWorkerPoolsServer{})
	longrunningpb.RegisterOperationsServer(tr, longrunningpb.UnimplementedOperationsServer{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		tr.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	p.url = srv.URL
	return p
}

// call sends a request as it stands. A body that is not empty is JSON.
func (p *probe) call(t testing.TB, method, target, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	p.method, p.in = "", nil
	req, err := http.NewRequestWithContext(t.Context(), method, p.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	req.URL.Opaque, req.URL.RawQuery = path, query
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

const parent = "/v2/projects/p/locations/r"

func TestPathsQueriesAndBodiesBecomeRequests(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	for _, tt := range []struct {
		verb, target, body string
		method             string
		want               proto.Message
		text               string
	}{
		{"POST", parent + "/jobs?jobId=j", `{"template":{"taskCount":3}}`, "Jobs/CreateJob", &runpb.CreateJobRequest{},
			`parent: "projects/p/locations/r" job_id: "j" job: {template: {task_count: 3}}`},
		{"POST", parent + "/jobs?jobId=&validateOnly=true", `{}`, "Jobs/CreateJob", &runpb.CreateJobRequest{},
			`parent: "projects/p/locations/r" job: {} validate_only: true`},
		{"POST", parent + "/jobs", ``, "Jobs/CreateJob", &runpb.CreateJobRequest{}, `parent: "projects/p/locations/r"`},
		{"POST", parent + "/jobs?job_id=j", `{"template":{"task_count":"3","template":{"max_retries":0,"timeout":"600.5s"}}}`,
			"Jobs/CreateJob", &runpb.CreateJobRequest{},
			`parent: "projects/p/locations/r" job_id: "j" job: {template: {task_count: 3 template: {max_retries: 0 timeout: {seconds: 600 nanos: 500000000}}}}`},
		{"POST", parent + "/jobs?%24alt=json%3Benum-encoding%3Dint", `{"launchStage":3,"generation":"7"}`, "Jobs/CreateJob", &runpb.CreateJobRequest{},
			`parent: "projects/p/locations/r" job: {launch_stage: BETA generation: 7}`},
		{"POST", parent + "/jobs?$alt=json;enum-encoding=int&alt=json&key=k&fields=name&quotaUser=u&$.xgafv=2&prettyPrint=false&access_token=x&uploadType=media&upload_protocol=raw&callback=f",
			`{"launchStage":"BETA","generation":7}`, "Jobs/CreateJob", &runpb.CreateJobRequest{},
			`parent: "projects/p/locations/r" job: {launch_stage: BETA generation: 7}`},
		{"GET", parent + "/jobs?pageSize=2&pageToken=a%3D%3D&showDeleted=true", ``, "Jobs/ListJobs", &runpb.ListJobsRequest{},
			`parent: "projects/p/locations/r" page_size: 2 page_token: "a==" show_deleted: true`},
		{"GET", parent + "/jobs/j", ``, "Jobs/GetJob", &runpb.GetJobRequest{}, `name: "projects/p/locations/r/jobs/j"`},
		{"GET", parent + "/jobs/j", `{}`, "Jobs/GetJob", &runpb.GetJobRequest{}, `name: "projects/p/locations/r/jobs/j"`},
		{"PATCH", parent + "/jobs/j?allowMissing=true", `{"name":"projects/x/locations/y/jobs/z","labels":{"a":"b"}}`,
			"Jobs/UpdateJob", &runpb.UpdateJobRequest{},
			`job: {name: "projects/p/locations/r/jobs/j" labels: {key: "a" value: "b"}} allow_missing: true`},
		{"DELETE", parent + "/jobs/j?etag=%22a/b%22", ``, "Jobs/DeleteJob", &runpb.DeleteJobRequest{},
			`name: "projects/p/locations/r/jobs/j" etag: "\"a/b\""`},
		{"POST", parent + "/jobs/j:run", `{"overrides":{"containerOverrides":[{"args":["a"],"env":[{"name":"A","value":""}]}],"timeout":"10s"}}`,
			"Jobs/RunJob", &runpb.RunJobRequest{},
			`name: "projects/p/locations/r/jobs/j" overrides: {container_overrides: {args: "a" env: {name: "A" value: ""}} timeout: {seconds: 10}}`},
		{"POST", parent + "/jobs/j:run", ``, "Jobs/RunJob", &runpb.RunJobRequest{}, `name: "projects/p/locations/r/jobs/j"`},
		{"GET", parent + "/jobs/-/executions", ``, "Executions/ListExecutions", &runpb.ListExecutionsRequest{}, `parent: "projects/p/locations/r/jobs/-"`},
		{"POST", parent + "/jobs/j/executions/e:cancel", `{"etag":"x"}`, "Executions/CancelExecution", &runpb.CancelExecutionRequest{},
			`name: "projects/p/locations/r/jobs/j/executions/e" etag: "x"`},
		{"GET", parent + "/jobs/j/executions/e/tasks/t", ``, "Tasks/GetTask", &runpb.GetTaskRequest{}, `name: "projects/p/locations/r/jobs/j/executions/e/tasks/t"`},
		{"GET", parent + "/jobs/j:getIamPolicy?options.requestedPolicyVersion=3", ``, "Jobs/GetIamPolicy", &iampb.GetIamPolicyRequest{},
			`resource: "projects/p/locations/r/jobs/j" options: {requested_policy_version: 3}`},
		{"POST", parent + "/jobs/j:setIamPolicy", `{"policy":{"bindings":[{"role":"roles/run.invoker","members":["allUsers"]}],"etag":"ACAB"}, "updateMask":"bindings,etag"}`,
			"Jobs/SetIamPolicy", &iampb.SetIamPolicyRequest{},
			`resource: "projects/p/locations/r/jobs/j" policy: {bindings: {role: "roles/run.invoker" members: "allUsers"} etag: "\x00\x20\x01"} update_mask: {paths: "bindings" paths: "etag"}`},
		{"POST", parent + "/operations/o:wait", `{"timeout":"10s"}`, "google.longrunning.Operations/WaitOperation", &longrunningpb.WaitOperationRequest{},
			`name: "projects/p/locations/r/operations/o" timeout: {seconds: 10}`},
		{"PATCH", parent + "/services/s?updateMask=template.maxInstanceRequestConcurrency,traffic", `{}`, "Services/UpdateService", &runpb.UpdateServiceRequest{},
			`service: {name: "projects/p/locations/r/services/s"} update_mask: {paths: "template.max_instance_request_concurrency" paths: "traffic"}`},
		{"PATCH", parent + "/workerPools/w?update_mask=template.service_account&forceNewRevision=1", `{}`, "WorkerPools/UpdateWorkerPool", &runpb.UpdateWorkerPoolRequest{},
			`worker_pool: {name: "projects/p/locations/r/workerPools/w"} update_mask: {paths: "template.service_account"} force_new_revision: true`},
	} {
		code, _, text := p.call(t, tt.verb, tt.target, tt.body)
		if err := prototext.Unmarshal([]byte(tt.text), tt.want); err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		if code != 200 || !strings.HasSuffix(p.method, "."+strings.TrimPrefix(tt.method, "google.longrunning.")) || !proto.Equal(p.in, tt.want) {
			t.Errorf("%s %s %s: %d %s\n got %s %v\nwant %s %v", tt.verb, tt.target, tt.body, code, text, p.method, p.in, tt.method, tt.want)
		}
	}
}

// An answer has names and numbers as proto3 JSON says: zero values left out,
// 64-bit integers as strings, enums by name unless numbers are asked for.
func TestAnswers(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	p.out = &runpb.Job{Name: "n", Generation: 7, LaunchStage: 3}
	for _, tt := range []struct{ query, want string }{
		{"", "{\n  \"name\": \"n\",\n  \"generation\": \"7\",\n  \"launchStage\": \"BETA\"\n}\n"},
		{"?prettyPrint=false", `{"name":"n","generation":"7","launchStage":"BETA"}` + "\n"},
		{"?prettyPrint=false&$alt=json;enum-encoding=int", `{"name":"n","generation":"7","launchStage":3}` + "\n"},
		{"?prettyPrint=false&%24alt=json%3Benum-encoding%3Dint", `{"name":"n","generation":"7","launchStage":3}` + "\n"},
	} {
		code, header, text := p.call(t, "GET", parent+"/jobs/j"+tt.query, "")
		if code != 200 || text != tt.want || header.Get("Content-Type") != "application/json; charset=UTF-8" {
			t.Errorf("%s: %d %v %s, want %s", tt.query, code, header, text, tt.want)
		}
	}
}

// failure is the body of an error, read strictly.
type failure struct {
	Error struct {
		Code            int
		Message, Status string
		Details         []struct {
			Type            string `json:"@type"`
			FieldViolations []struct{ Field, Description string }
			Reason, Domain  string
		}
	}
}

// parseFailure reads the body of an error.
func parseFailure(t testing.TB, text string) (f failure) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}
