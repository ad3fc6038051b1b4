package schedules_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	scheduler "cloud.google.com/go/scheduler/apiv1"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/api/schedules"
	v1 "runnel/api/v1"
	"runnel/api/wire"
	"runnel/contract"
	"runnel/control/controltest"
)

const parent = controltest.Parent

// serve answers callers as a daemon does, and returns where.
func serve(t *testing.T, w *controltest.World) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := wire.New(wire.Config{Control: w.Control, V1: v1.NewHandler(w.Control)})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// clients are Google's own, by their transport.
func clients(t *testing.T, address string) map[string]*scheduler.CloudSchedulerClient {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	byGRPC, err1 := scheduler.NewCloudSchedulerClient(t.Context(), option.WithGRPCConn(conn))
	byREST, err2 := scheduler.NewCloudSchedulerRESTClient(t.Context(), option.WithEndpoint("http://"+address), option.WithHTTPClient(&http.Client{}))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return map[string]*scheduler.CloudSchedulerClient{"gRPC": byGRPC, "REST": byREST}
}

// newSchedule is what a client sends to create one.
func newSchedule(id string) *schedulerpb.Job {
	return &schedulerpb.Job{
		Name:     parent + "/jobs/" + id,
		Schedule: "0 3 * * *",
		TimeZone: "Europe/Paris",
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{
			Uri:                 "https://us-central1-run.googleapis.com/v2/" + parent + "/jobs/etl:run",
			HttpMethod:          schedulerpb.HttpMethod_POST,
			Body:                []byte(`{"overrides":{"taskCount":2}}`),
			Headers:             map[string]string{contract.ConcurrencyPolicyHeader: "Forbid"},
			AuthorizationHeader: &schedulerpb.HttpTarget_OauthToken{OauthToken: &schedulerpb.OAuthToken{ServiceAccountEmail: "me@example.com"}},
		}},
	}
}

// contract: JOB-29
func TestGooglesClientOfCloudScheduler(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Job("etl", 1)
	for name, c := range clients(t, serve(t, w)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			life(t, w, c, name)
		})
	}
}

// life takes a schedule through everything that can be done with one.
func life(t *testing.T, w *controltest.World, c *scheduler.CloudSchedulerClient, id string) {
	t.Helper()
	ctx, name := t.Context(), parent+"/jobs/"+id
	got, err := c.CreateJob(ctx, &schedulerpb.CreateJobRequest{Parent: parent, Job: newSchedule(id)})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetName() != name || got.GetState() != schedulerpb.Job_ENABLED || got.GetScheduleTime() == nil || got.GetRetryConfig().GetMaxDoublings() != 5 || string(got.GetHttpTarget().GetBody()) == "" {
		t.Errorf("created: %v", got)
	}
	if _, err = c.CreateJob(ctx, &schedulerpb.CreateJobRequest{Parent: parent, Job: newSchedule(id)}); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("created twice: %v", err)
	}
	got, err = c.UpdateJob(ctx, &schedulerpb.UpdateJobRequest{
		Job:        &schedulerpb.Job{Name: name, Description: "mine", TimeZone: "Asia/Tokyo"},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"description", "time_zone"}},
	})
	if err != nil || got.GetDescription() != "mine" || got.GetTimeZone() != "Asia/Tokyo" || got.GetSchedule() != "0 3 * * *" {
		t.Errorf("updated: %v, %v", got, err)
	}
	if got, err = c.PauseJob(ctx, &schedulerpb.PauseJobRequest{Name: name}); err != nil || got.GetState() != schedulerpb.Job_PAUSED {
		t.Errorf("paused: %v, %v", got, err)
	}
	if got, err = c.ResumeJob(ctx, &schedulerpb.ResumeJobRequest{Name: name}); err != nil || got.GetState() != schedulerpb.Job_ENABLED {
		t.Errorf("resumed: %v, %v", got, err)
	}
	if got, err = c.RunJob(ctx, &schedulerpb.RunJobRequest{Name: name}); err != nil || got.GetLastAttemptTime() == nil || got.GetStatus().GetCode() != 0 {
		t.Errorf("run: %v, %v", got, err)
	}
	runs, err := w.Control.ScheduledRuns(ctx, name)
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs: %v, %v", runs, err)
	}
	if x := w.Ended(runs[0].Execution); x.GetTaskCount() != 2 || x.GetCreator() != "me@example.com" {
		t.Errorf("execution: %v", x)
	}
	if got, err = c.GetJob(ctx, &schedulerpb.GetJobRequest{Name: name}); err != nil || got.GetDescription() != "mine" {
		t.Errorf("get: %v, %v", got, err)
	}
	if found := list(t, c); found[name] != 1 {
		t.Errorf("listed: %v", found)
	}
	if err := c.DeleteJob(ctx, &schedulerpb.DeleteJobRequest{Name: name}); err != nil {
		t.Error(err)
	}
	if _, err = c.GetJob(ctx, &schedulerpb.GetJobRequest{Name: name}); status.Code(err) != codes.NotFound {
		t.Errorf("after it was deleted: %v", err)
	}
}

// jobRequest asks for the job that schedules run.
func jobRequest() *runpb.CreateJobRequest {
	return &runpb.CreateJobRequest{Parent: parent, JobId: "etl", Job: controltest.NewJob(1)}
}

// list counts the names in all pages of one.
func list(t *testing.T, c *scheduler.CloudSchedulerClient) map[string]int {
	t.Helper()
	found := map[string]int{}
	all := c.ListJobs(t.Context(), &schedulerpb.ListJobsRequest{Parent: parent, PageSize: 1})
	for {
		s, err := all.Next()
		if errors.Is(err, iterator.Done) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[s.GetName()]++
	}
}

// Cloud Run's v1 and Cloud Scheduler's v1 share paths.
func TestPoliciesOfJobsStandBesideSchedules(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Job("etl", 1)
	base := "http://" + serve(t, w) + "/v1/" + parent
	for _, tt := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/jobs", "", 200, "{}"},
		{"GET", "/jobs/etl", "", 404, "Schedule 'etl'"},
		{"GET", "/jobs/etl:getIamPolicy", "", 200, `"ACAB"`},
		{"GET", "/jobs/etl%3AgetIamPolicy", "", 200, `"ACAB"`},
		{"POST", "/jobs/etl:setIamPolicy", `{"policy":{"bindings":[{"role":"roles/run.invoker","members":["user:me@example.com"]}]}}`, 200, "roles/run.invoker"},
		{"POST", "/jobs/etl:testIamPermissions", `{"permissions":["run.jobs.run"]}`, 200, "run.jobs.run"},
		{"POST", "/jobs", `{"name":"` + parent + `/jobs/etl","schedule":"@daily","httpTarget":{"uri":"https://run.googleapis.com/v2/` + parent + `/jobs/etl:run"}}`, 200, `"ENABLED"`},
		{"POST", "/jobs/etl:run", "{}", 200, "lastAttemptTime"},
		{"POST", "/jobs/etl:pause", "", 200, `"PAUSED"`},
		{"PATCH", "/jobs/etl?updateMask=schedule", `{"schedule":"0 0 30 2 *"}`, 200, "0 0 30 2 *"},
		{"POST", "/jobs/etl:resume", "", 400, "never comes"},
		{"GET", "/jobs/etl:getIamPolicy", "", 200, "roles/run.invoker"},
		{"PUT", "/jobs/etl", "{}", 405, "not offered"},
		{"DELETE", "/jobs/etl", "", 200, "{}"},
		{"GET", "", "", 200, "us-central1"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, base+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tt.code || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s %s: %d %s\nwant %d with %s", tt.method, tt.path, resp.StatusCode, text, tt.code, tt.want)
		}
	}
}

func TestRunsAreShown(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	address := serve(t, w)
	c := clients(t, address)["gRPC"]
	if _, err := c.CreateJob(t.Context(), &schedulerpb.CreateJobRequest{Parent: parent, Job: newSchedule("s")}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // before there is a job, and when there is one
		if _, err := c.RunJob(t.Context(), &schedulerpb.RunJobRequest{Name: parent + "/jobs/s"}); err != nil {
			t.Fatal(err)
		}
		_, _, _ = w.Control.CreateJob(t.Context(), jobRequest())
	}
	resp, err := http.Get("http://" + address + schedules.RunsPath(parent+"/jobs/s"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got schedules.Runs
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || len(got.Runs) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if r := got.Runs[1]; r.Result != "left out" || r.Status != "NOT_FOUND" || r.Execution != "" || r.Message == "" || !r.ScheduleTime.IsZero() {
		t.Errorf("without a job: %+v", r)
	}
	if r := got.Runs[0]; r.Status != "" || !strings.HasPrefix(r.Execution, "etl-") || !strings.HasSuffix(r.ExecutionName, "/executions/"+r.Execution) {
		t.Errorf("with one: %+v", r)
	}
	none, err := http.Get("http://" + address + schedules.RunsPath(parent+"/jobs/none"))
	if err != nil {
		t.Fatal(err)
	}
	_ = none.Body.Close()
	if none.StatusCode != http.StatusNotFound {
		t.Errorf("of no schedule: %s", none.Status)
	}
}
