package control_test

import (
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/control"
	"runnel/control/controltest"
)

// uri is a target with another URI.
func uri(s string) func(*schedulerpb.Job) {
	return func(j *schedulerpb.Job) { j.GetHttpTarget().Uri = s }
}

// contract: JOB-29
func TestSchedulesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	for _, tt := range []struct {
		name   string
		change func(*schedulerpb.Job)
		field  string
	}{
		{"elsewhere", uri("https://example.com/"), "job.httpTarget.uri"},
		{"a host that only ends like it", uri("https://evilrun.googleapis.com/v2/" + parent + "/jobs/etl:run"), "job.httpTarget.uri"},
		{"no URL", uri("jobs/etl:run"), "job.httpTarget.uri"},
		{"another scheme", uri("ftp://run.googleapis.com/v2/" + parent + "/jobs/etl:run"), "job.httpTarget.uri"},
		{"no run", uri("https://run.googleapis.com/v2/" + parent + "/jobs/etl"), "job.httpTarget.uri"},
		{"another verb", uri("https://run.googleapis.com/v2/" + parent + "/jobs/etl:delete"), "job.httpTarget.uri"},
		{"any job", uri("https://run.googleapis.com/v2/" + parent + "/jobs/-:run"), "job.httpTarget.uri"},
		{"an execution", uri("https://run.googleapis.com/v2/" + parent + "/jobs/etl/executions/x:run"), "job.httpTarget.uri"},
		{"a service", uri("https://run.googleapis.com/v2/" + parent + "/services/etl:run"), "job.httpTarget.uri"},
		{"a query", uri("https://run.googleapis.com/v2/" + parent + "/jobs/etl:run?alt=json"), "job.httpTarget.uri"},
		{"too long", uri("https://run.googleapis.com/v2/" + parent + "/jobs/" + strings.Repeat("x", 2100) + ":run"), "job.httpTarget.uri"},
		{"another method", func(s *schedulerpb.Job) { s.GetHttpTarget().HttpMethod = schedulerpb.HttpMethod_GET }, "job.httpTarget.httpMethod"},
		{"an unknown policy", func(s *schedulerpb.Job) { s.Target = target(parent+"/jobs/etl", "Runnel-Concurrency-Policy", "Wait") }, "job.httpTarget.headers"},
		{"a header that is none", func(s *schedulerpb.Job) { s.Target = target(parent+"/jobs/etl", "a b", "c") }, "job.httpTarget.headers"},
		{"a body that is none", func(s *schedulerpb.Job) { s.GetHttpTarget().Body = []byte("hello") }, "job.httpTarget.body"},
		{"an unknown override", func(s *schedulerpb.Job) { s.GetHttpTarget().Body = []byte(`{"overrides":{"tasks":3}}`) }, "job.httpTarget.body"},
		{"an unknown field of v1", func(s *schedulerpb.Job) {
			s.GetHttpTarget().Uri = "https://run.googleapis.com/apis/run.googleapis.com/v1/namespaces/local/jobs/etl:run"
			s.GetHttpTarget().Body = []byte(`{"overides":{"taskCount":3}}`)
		}, "job.httpTarget.body"},
		{"an override of v1 that is none", func(s *schedulerpb.Job) {
			s.GetHttpTarget().Uri = "https://run.googleapis.com/apis/run.googleapis.com/v1/namespaces/local/jobs/etl:run"
			s.GetHttpTarget().Body = []byte(`{"overrides":{"timeoutSeconds":30,"tasks":3}}`)
		}, "job.httpTarget.body"},
		{"a body that runs nothing", func(s *schedulerpb.Job) { s.GetHttpTarget().Body = []byte(`{"validateOnly":true}`) }, "job.httpTarget.body"},
		{"a target that is none", func(s *schedulerpb.Job) { s.Target = nil }, "job.httpTarget"},
		{"Pub/Sub", func(s *schedulerpb.Job) {
			s.Target = &schedulerpb.Job_PubsubTarget{PubsubTarget: &schedulerpb.PubsubTarget{TopicName: "t"}}
		}, "job.pubsubTarget"},
		{"App Engine", func(s *schedulerpb.Job) { s.Target = &schedulerpb.Job_AppEngineHttpTarget{} }, "job.appEngineHttpTarget"},
		{"no expression", func(s *schedulerpb.Job) { s.Schedule = "" }, "job.schedule"},
		{"an expression that never comes", func(s *schedulerpb.Job) { s.Schedule = "0 0 30 2 *" }, "job.schedule"},
		{"an unknown time zone", func(s *schedulerpb.Job) { s.TimeZone = "Mars/Olympus" }, "job.timeZone"},
		{"no account", func(s *schedulerpb.Job) {
			s.GetHttpTarget().AuthorizationHeader = &schedulerpb.HttpTarget_OauthToken{OauthToken: &schedulerpb.OAuthToken{ServiceAccountEmail: "me"}}
		}, "job.httpTarget.oauthToken.serviceAccountEmail"},
		{"a short deadline", func(s *schedulerpb.Job) { s.AttemptDeadline = durationpb.New(time.Second) }, "job.attemptDeadline"},
		{"a deadline that JSON cannot say", func(s *schedulerpb.Job) { s.AttemptDeadline = &durationpb.Duration{Seconds: 60, Nanos: -1} }, "job.attemptDeadline"},
		{"many retries", func(s *schedulerpb.Job) { s.RetryConfig = &schedulerpb.RetryConfig{RetryCount: 6} }, "job.retryConfig.retryCount"},
		{"a long description", func(s *schedulerpb.Job) { s.Description = strings.Repeat("ä", 501) }, "job.description"},
		{"another parent", func(s *schedulerpb.Job) { s.Name = "projects/local/locations/elsewhere/jobs/x" }, "job.name"},
		{"a bad name", func(s *schedulerpb.Job) { s.Name = parent + "/jobs/a.b" }, "job.name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &schedulerpb.Job{Name: parent + "/jobs/x", Schedule: "0 * * * *", Target: target(parent + "/jobs/etl")}
			tt.change(s)
			_, err := w.Control.CreateSchedule(t.Context(), &schedulerpb.CreateJobRequest{Parent: parent, Job: s})
			violates(t, err, tt.field)
		})
	}
}

// Every form in which Cloud Run documents the address runs the same job.
// contract: JOB-29
func TestTargetsThatRunAJob(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	w.Job("etl", 1)
	const v1 = "/apis/run.googleapis.com/v1/namespaces/"
	for id, row := range map[string]struct{ uri, body string }{
		"global":   {"https://run.googleapis.com/v2/" + parent + "/jobs/etl:run", `{"overrides":{"taskCount":2,"timeout":"30s"}}`},
		"regional": {"https://us-central1-run.googleapis.com/v2/" + parent + "/jobs/etl:run", "  "},
		"number":   {"https://run.googleapis.com/v2/projects/" + controltest.ProjectNumber + "/locations/us-central1/jobs/etl:run", ""},
		"v1":       {"https://us-central1-run.googleapis.com" + v1 + "local/jobs/etl:run", `{"overrides":{"taskCount":2,"timeoutSeconds":30}}`},
		"v1text":   {"https://us-central1-run.googleapis.com" + v1 + "local/jobs/etl:run", `{"overrides":{"taskCount":2,"timeoutSeconds":"30"}}`},
		"anywhere": {"https://run.googleapis.com" + v1 + controltest.ProjectNumber + "/jobs/etl:run", ""},
		"local":    {"http://localhost:8787/v2/" + parent + "/jobs/etl:run", ""},
		"address":  {"http://127.0.0.1:8787/v2/" + parent + "/jobs/etl:run", ""},
		"six":      {"http://[::1]:8787/v2/" + parent + "/jobs/etl:run", ""},
		"gcloud":   {"http://us-central1-localhost:8787" + v1 + "local/jobs/etl:run", ""},
		"domain":   {"https://us-central1-run.localhost" + v1 + "local/jobs/etl:run", ""},
	} {
		name := w.schedule(id, parent+"/jobs/etl", uri(row.uri), func(s *schedulerpb.Job) { s.GetHttpTarget().Body = []byte(row.body) })
		got := w.run(name)
		run := w.after(name, 1)[0]
		if run.Execution == "" || got.GetHttpTarget().GetUri() != row.uri {
			t.Errorf("%s: %+v, %v", id, run, got)
			continue
		}
		x := w.Ended(run.Execution)
		if special := strings.Contains(row.body, "30"); special != (x.GetTaskCount() == 2) || special != (x.GetTemplate().GetTimeout().AsDuration() == 30*time.Second) {
			t.Errorf("%s: execution %v", id, x)
		}
	}
}

// A daemon that other machines reach is known by its own names, too.
func TestTargetsByTheDaemonsNames(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.Hosts = []string{"Build1.example.com", "192.0.2.7"} }})
	for host, want := range map[string]bool{
		"build1.example.com": true, "build1.example.com.:8787": true, "us-central1-build1.example.com": true, "192.0.2.7:8787": true,
		"build2.example.com": false, "x.build1.example.com": false, "192.0.2.8": false, "-build1.example.com": false,
	} {
		s := &schedulerpb.Job{Schedule: "@daily", Target: target(parent + "/jobs/etl")}
		s.GetHttpTarget().Uri = "https://" + host + "/v2/" + parent + "/jobs/etl:run"
		_, err := w.Control.CreateSchedule(t.Context(), &schedulerpb.CreateJobRequest{Parent: parent, Job: s})
		if want != (err == nil) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// What a schedule acts for creates its executions, and nobody else.
func TestExecutionsOfASchedule(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("s", job, func(s *schedulerpb.Job) {
		s.GetHttpTarget().AuthorizationHeader = &schedulerpb.HttpTarget_OauthToken{OauthToken: &schedulerpb.OAuthToken{ServiceAccountEmail: "me@example.com"}}
	})
	w.run(name)
	if x := w.Ended(w.after(name, 1)[0].Execution); x.GetCreator() != "me@example.com" {
		t.Errorf("creator %q", x.GetCreator())
	}
	_, err := w.Control.UpdateSchedule(t.Context(), &schedulerpb.UpdateJobRequest{
		Job:        &schedulerpb.Job{Name: name},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"http_target.oauth_token.service_account_email", "httpTarget.oauthToken.scope", "httpTarget.oidcToken.audience"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.get(name).GetHttpTarget().GetAuthorizationHeader(); got != nil {
		t.Errorf("cleared: %v", got)
	}
	w.run(name)
	if x := w.Ended(w.after(name, 2)[0].Execution); x.GetCreator() != control.Administrator {
		t.Errorf("creator %q", x.GetCreator())
	}
}

func TestUpdateOfASchedule(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("s", job, func(s *schedulerpb.Job) { s.Description = "mine" })
	update := func(s *schedulerpb.Job, mask ...string) (*schedulerpb.Job, error) {
		s.Name = name
		r := &schedulerpb.UpdateJobRequest{Job: s}
		if mask != nil {
			r.UpdateMask = &fieldmaskpb.FieldMask{Paths: mask}
		}
		return w.Control.UpdateSchedule(t.Context(), r)
	}
	got, err := update(&schedulerpb.Job{Schedule: "30 * * * *", State: schedulerpb.Job_PAUSED}, "schedule", "state")
	if err != nil || got.GetDescription() != "mine" || got.GetHttpTarget().GetUri() == "" || got.GetState() != schedulerpb.Job_ENABLED {
		t.Errorf("by a mask: %v, %v", got, err)
	}
	if next := got.GetScheduleTime().AsTime(); !next.Equal(hour(9).Add(30 * time.Minute)) {
		t.Errorf("due next at %v", next)
	}
	if got, err = update(&schedulerpb.Job{Schedule: "45 * * * *", Target: target(job)}); err != nil || got.GetDescription() != "" || got.GetSchedule() != "45 * * * *" {
		t.Errorf("without a mask: %v, %v", got, err)
	}
	_, err = update(&schedulerpb.Job{}, "httpTarget.nothing")
	violates(t, err, "updateMask")
	_, err = update(&schedulerpb.Job{}, "schedule")
	violates(t, err, "job.schedule")
	_, err = update(&schedulerpb.Job{Schedule: "0 0 30 2 *"}, "schedule")
	violates(t, err, "job.schedule")
	_, err = w.Control.UpdateSchedule(t.Context(), &schedulerpb.UpdateJobRequest{Job: &schedulerpb.Job{Name: parent + "/jobs/none"}})
	fails(t, err, codes.NotFound, "Schedule 'none'")
}

// A schedule and a job may have the same name, and neither is the other.
func TestScheduleAndJobOfOneName(t *testing.T) {
	t.Parallel()
	w := newScheduled(t)
	job := w.Job("etl", 1)
	name := w.schedule("etl", job)
	if name != job {
		t.Fatalf("names %s and %s", name, job)
	}
	_, err := w.Control.CreateSchedule(t.Context(), &schedulerpb.CreateJobRequest{Parent: parent, Job: &schedulerpb.Job{Name: name, Schedule: "@daily", Target: target(job)}})
	fails(t, err, codes.AlreadyExists, "Schedule 'etl' already exists")
	_, op, err := w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: job})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	// As with Cloud Scheduler the schedule stays, and says what it runs into.
	if got := w.run(name); got.GetStatus().GetCode() != int32(codes.NotFound) {
		t.Errorf("without its job: %v", got.GetStatus())
	}
	if run := w.after(name, 1)[0]; run.Code != codes.NotFound || !strings.Contains(run.Message, "'etl'") || run.Execution != "" {
		t.Errorf("history: %+v", run)
	}
	w.Job("etl", 1)
	if got := w.run(name); got.GetStatus().GetCode() != 0 {
		t.Errorf("with a job again: %v", got.GetStatus())
	}
}
