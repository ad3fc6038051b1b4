package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	gapi "google.golang.org/genproto/googleapis/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/control"
	"runnel/control/controltest"
	rimage "runnel/image"
)

// contract: JOB-9
func TestCreateJobFillsInDefaultsAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	ctx := control.WithCaller(t.Context(), "me@example.com")
	job, op, err := w.Control.CreateJob(ctx, &runpb.CreateJobRequest{Parent: "projects/" + controltest.ProjectNumber + "/locations/us-central1", JobId: "hello", Job: &runpb.Job{
		Name:          "projects/other/locations/x/jobs/ignored",
		Uid:           "mine",
		Generation:    7,
		Client:        "gcloud",
		ClientVersion: "500.0.0",
		Labels:        map[string]string{"team": "a"},
		Template: &runpb.ExecutionTemplate{Template: &runpb.TaskTemplate{
			Containers: []*runpb.Container{{Image: controltest.Image, Args: []string{"x"}, Env: []*runpb.EnvVar{{Name: "B"}, {Name: "A"}}}},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if op.GetDone() || !job.GetReconciling() || job.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_RECONCILING {
		t.Errorf("ready at once: %v", job)
	}
	job = response[*runpb.Job](t, w.WaitFor(op.GetName()))
	want := parent + "/jobs/hello"
	if job.GetName() != want || job.GetUid() == "mine" || job.GetGeneration() != 1 || job.GetObservedGeneration() != 1 {
		t.Errorf("header: %v", job)
	}
	if job.GetCreator() != "me@example.com" || job.GetLastModifier() != "me@example.com" || job.GetClient() != "gcloud" || job.GetClientVersion() != "500.0.0" {
		t.Errorf("who: %v", job)
	}
	if job.GetLaunchStage() != gapi.LaunchStage_GA || job.GetReconciling() || job.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Errorf("state: %v", job)
	}
	task := job.GetTemplate().GetTemplate()
	if job.GetTemplate().GetTaskCount() != 1 || task.GetMaxRetries() != 3 || task.GetTimeout().AsDuration() != 10*time.Minute || task.GetServiceAccount() != controltest.ServiceAccount {
		t.Errorf("defaults: %v", job.GetTemplate())
	}
	k := task.GetContainers()[0]
	if k.GetImage() != controltest.Image || k.GetName() != "" || k.GetResources().GetLimits()["cpu"] != "1000m" || k.GetEnv()[0].GetName() != "B" {
		t.Errorf("container: %v", k)
	}
	if job.GetEtag() != control.Etag(want, job.GetUpdateTime().AsTime()) || !strings.HasPrefix(job.GetEtag(), `"`) {
		t.Errorf("etag %s", job.GetEtag())
	}
	if job.GetLatestCreatedExecution() != nil || job.GetExecutionCount() != 0 {
		t.Errorf("executions of a job that never ran: %v", job)
	}
	stored := getJob(t, w, want)
	stored.Etag, job.Etag = "", ""
	if !proto.Equal(stored, job) {
		t.Errorf("stored %v\nanswered %v", stored, job)
	}
}

func TestCreateJobMakesUpANameWhereNoneIsGiven(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	a, _ := create(t, w, "", controltest.NewJob(1))
	b, _ := create(t, w, "", controltest.NewJob(1))
	if a.GetName() == b.GetName() || !strings.HasPrefix(a.GetName(), parent+"/jobs/") {
		t.Errorf("names %s and %s", a.GetName(), b.GetName())
	}
}

// contract: JOB-1, JOB-2, JOB-4, JOB-6
func TestCreateJobNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	for field, change := range map[string]func(*runpb.CreateJobRequest){
		"jobId":  func(r *runpb.CreateJobRequest) { r.JobId = strings.Repeat("a", 50) },
		"parent": func(r *runpb.CreateJobRequest) { r.Parent = "projects/p" },
		"job.template.taskCount": func(r *runpb.CreateJobRequest) {
			r.Job.Template.TaskCount = 10_001
		},
		"job.template.parallelism": func(r *runpb.CreateJobRequest) {
			r.Job.Template.Parallelism = 2
		},
		"job.template.template.maxRetries": func(r *runpb.CreateJobRequest) {
			r.Job.Template.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: 11}
		},
		"job.template.template.timeout": func(r *runpb.CreateJobRequest) {
			r.Job.Template.Template.Timeout = durationpb.New(169 * time.Hour)
		},
		`job.labels["run.googleapis.com/x"]`: func(r *runpb.CreateJobRequest) {
			r.Job.Labels = map[string]string{"run.googleapis.com/x": "y"}
		},
		"job.template.template.containers[0].image": func(r *runpb.CreateJobRequest) {
			r.Job.Template.Template.Containers[0].Image = "UPPER/case"
		},
		"job.template": func(r *runpb.CreateJobRequest) { r.Job = nil },
		"job.startExecutionToken": func(r *runpb.CreateJobRequest) {
			r.Job.CreateExecution = &runpb.Job_StartExecutionToken{StartExecutionToken: "Bad"}
		},
	} {
		r := &runpb.CreateJobRequest{Parent: parent, JobId: "bad", Job: controltest.NewJob(1)}
		change(r)
		_, _, err := w.Control.CreateJob(t.Context(), r)
		violates(t, err, field)
		if strings.HasPrefix(field, "job.") {
			fails(t, err, codes.InvalidArgument, "violation in CreateJobRequest."+field+"\n")
		}
	}
	jobs, _, err := w.Control.Jobs(t.Context(), control.Query[*runpb.Job]{Parent: parent})
	if err != nil || len(jobs) != 0 {
		t.Errorf("what was refused is there: %v, %v", jobs, err)
	}
}

func TestCreateJobAgain(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Job("hello", 1)
	for _, validateOnly := range []bool{false, true} {
		_, _, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: parent, JobId: "hello", Job: controltest.NewJob(1), ValidateOnly: validateOnly})
		fails(t, err, codes.AlreadyExists, "'hello' already exists")
	}
}

func TestValidateOnlyWritesNothing(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	job, op, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: parent, JobId: "hello", Job: controltest.NewJob(1), ValidateOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if !op.GetDone() || response[*runpb.Job](t, op).GetName() != job.GetName() || job.GetTemplate().GetTemplate().GetTimeout() == nil {
		t.Errorf("got %v", op)
	}
	_, err = w.Control.Job(t.Context(), job.GetName())
	fails(t, err, codes.NotFound, "Resource 'hello' of kind 'JOB' in region 'us-central1' in project 'local' does not exist.")
}

// contract: JOB-27
func TestUpdateJobReplacesAllOfIt(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 3)
	old := getJob(t, w, name)
	next := controltest.NewJob(2)
	next.Name = name
	next.Template.Annotations = map[string]string{"a": "b"}
	_, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next})
	if err != nil {
		t.Fatal(err)
	}
	got := response[*runpb.Job](t, w.WaitFor(op.GetName()))
	if got.GetTemplate().GetTaskCount() != 2 || got.GetGeneration() != 2 || got.GetObservedGeneration() != 2 || got.GetUid() != old.GetUid() || !proto.Equal(got.GetCreateTime(), old.GetCreateTime()) {
		t.Errorf("updated: %v", got)
	}
	next.Template.Annotations = nil
	_, op, err = w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next})
	if err != nil {
		t.Fatal(err)
	}
	if got = response[*runpb.Job](t, w.WaitFor(op.GetName())); len(got.GetTemplate().GetAnnotations()) != 0 || got.GetGeneration() != 3 {
		t.Errorf("cleared: %v", got)
	}
	next.Client = "another"
	_, op, err = w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next})
	if err != nil {
		t.Fatal(err)
	}
	if got = response[*runpb.Job](t, w.WaitFor(op.GetName())); got.GetGeneration() != 3 || got.GetClient() != "another" {
		t.Errorf("an update that changes nothing: %v", got)
	}
}

func TestUpdateJobConflicts(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	stale := getJob(t, w, name)
	next := proto.CloneOf(stale)
	next.Template.TaskCount = 2
	_, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	_, _, err = w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: stale})
	fails(t, err, codes.Aborted, "Conflict for resource 'hello': version '")
	_, _, err = w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: name, Etag: stale.GetEtag()})
	fails(t, err, codes.Aborted, "but current version is '")
	_, _, err = w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name, Etag: stale.GetEtag()})
	fails(t, err, codes.Aborted, "Conflict")
	stale.Etag = ""
	if _, _, err = w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: stale}); err != nil {
		t.Errorf("without an etag: %v", err)
	}
}

func TestUpdateJobThatIsMissing(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	job := controltest.NewJob(1)
	job.Name = parent + "/jobs/new"
	_, _, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: job})
	fails(t, err, codes.NotFound, "'new'")
	_, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: job, AllowMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := response[*runpb.Job](t, w.WaitFor(op.GetName())); got.GetGeneration() != 1 || got.GetUid() == "" {
		t.Errorf("created: %v", got)
	}
	job.Name = "hello"
	_, _, err = w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: job})
	violates(t, err, "job.name")
}

func TestJobWhoseImageCannotBeHad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		reason runpb.Condition_CommonReason
		code   codes.Code
	}{
		{rimage.ErrNotFound, runpb.Condition_CONTAINER_MISSING, codes.NotFound},
		{rimage.ErrUnauthorized, runpb.Condition_CONTAINER_IMAGE_UNAUTHORIZED, codes.PermissionDenied},
		{rimage.ErrUnreachable, runpb.Condition_INTERNAL, codes.Internal},
	} {
		w := controltest.New(t)
		w.Images.Fail(controltest.Image, c.err)
		job, op := create(t, w, "hello", controltest.NewJob(1))
		op = w.WaitFor(op.GetName())
		if op.GetError().GetCode() != int32(c.code) || !strings.Contains(op.GetError().GetMessage(), c.err.Error()) {
			t.Errorf("%v: operation %v", c.err, op)
		}
		job = getJob(t, w, job.GetName())
		if job.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_FAILED || job.GetTerminalCondition().GetReason() != c.reason || job.GetObservedGeneration() != 1 || job.GetReconciling() {
			t.Errorf("%v: job %v", c.err, job)
		}
		w.Images.Fail(controltest.Image, nil)
		x, _ := w.Run(job.GetName())
		if x = w.Ended(x.GetName()); x.GetSucceededCount() != 1 || x.GetTemplate().GetContainers()[0].GetImage() != controltest.Image+"@"+w.Images.Digest(controltest.Image) {
			t.Errorf("%v: run later: %v", c.err, x)
		}
	}
}

func TestJobReconcilesAcrossARestart(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	release := w.Images.Hold(controltest.Image)
	job, op := create(t, w, "hello", controltest.NewJob(1))
	w.Restart()
	if got := getJob(t, w, job.GetName()); !got.GetReconciling() {
		t.Errorf("ready without an image: %v", got)
	}
	release()
	if op = w.WaitFor(op.GetName()); response[*runpb.Job](t, op).GetReconciling() {
		t.Errorf("got %v", op)
	}
}

func TestUpdateWhileTheImageIsImported(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Images.Hold(controltest.Image)
	job, first := create(t, w, "hello", controltest.NewJob(1))
	next := controltest.NewJob(1)
	next.Name = job.GetName()
	next.Template.Template.Containers[0].Image = "registry.example/other:1"
	_, second, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(second.GetName())
	w.WaitFor(first.GetName())
	if got := getJob(t, w, job.GetName()); got.GetGeneration() != 2 || got.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Errorf("got %v", got)
	}
}

func TestCallsAfterCloseAreUnavailable(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	c := w.Control
	w.Stop()
	_, _, err := c.RunJob(t.Context(), &runpb.RunJobRequest{Name: name})
	fails(t, err, codes.Unavailable, "")
	_, err = c.Job(t.Context(), name)
	fails(t, err, codes.Unavailable, "")
}

func TestCallerWhoDoesNotWait(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("gone"))
	_, _, err := w.Control.CreateJob(ctx, &runpb.CreateJobRequest{Parent: parent, JobId: "hello", Job: controltest.NewJob(1)})
	if err != nil {
		fails(t, err, codes.Canceled, "")
	}
	// What was stored all the same is seen to.
	w.Eventually("the job", func() bool {
		job, err := w.Control.Job(t.Context(), parent+"/jobs/hello")
		return err == nil && !job.GetReconciling()
	})
}
