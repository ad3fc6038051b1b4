package scheduler

import (
	"errors"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	rimage "runnel/image"
)

// What is submitted is resolved, and goes on so in a process with other
// defaults.
//
// contract: JOB-2, JOB-4, JOB-6, ENV-6
func TestNewExecution(t *testing.T) {
	t.Parallel()
	s := New(somewhere(Config{Budget: room(1)}))
	x, err := s.NewExecution(&runpb.Job{
		Name: "projects/p/locations/l/jobs/migrate",
		Template: &runpb.ExecutionTemplate{
			Labels: map[string]string{"team": "a"}, TaskCount: 7,
			Template: &runpb.TaskTemplate{Containers: []*runpb.Container{{Image: "r"}}},
		},
	}, "migrate-token")
	if err != nil {
		t.Fatal(err)
	}
	template := x.GetTemplate()
	if x.GetName() != "projects/p/locations/l/jobs/migrate/executions/migrate-token" || x.GetJob() != "migrate" ||
		x.GetTaskCount() != 7 || x.GetParallelism() != 7 || x.GetLabels()["team"] != "a" || x.GetUid() == "" ||
		template.GetMaxRetries() != 3 || template.GetTimeout().AsDuration() != 10*time.Minute ||
		template.GetServiceAccount() != "default@local.iam.gserviceaccount.com" || !x.GetReconciling() {
		t.Errorf("execution %v", x)
	}
	wantStates(t, x, "Completed PENDING, ResourcesAvailable PENDING, Started PENDING, ContainerReady SUCCEEDED")

	// What others have written into the resource stays.
	x.Creator, x.Etag, x.LogUri = "me@example.com", `"e"`, "http://logs"
	want := proto.CloneOf(x)
	p := newPlan(x)
	if err := p.describe(&Config{ProjectNumber: func(string) string { return "1" }}, &rimage.Image{}); err != nil {
		t.Fatal(err)
	}
	if got := p.execution(&progress{updated: x.GetUpdateTime().AsTime()}); !proto.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

// contract: JOB-18, JOB-19
func TestExecutionThatEndsBeforeItBegins(t *testing.T) {
	t.Parallel()
	s := New(somewhere(Config{Budget: room(1)}))
	x, err := s.NewExecution(testJob(3, 0, 0, time.Minute), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, task := range Tasks(x, 0, 10, []TaskRecord{{Index: 1, State: Running, Attempts: 1}, {Index: 5}}) {
		want := []string{"Pending", "Running", "Pending"}[i]
		if task.GetLabels()[StateLabel] != want || task.GetIndex() != int32(i) || !task.GetReconciling() {
			t.Errorf("task %d: %v", i, task)
		}
	}
	at := time.Unix(1_900_000_000, 0)

	failed := FailedExecution(x, runpb.Condition_CONTAINER_MISSING, errors.New("pull r: not found"), at)
	check(t, failed, "succeeded 0 failed 3 cancelled 0 retried 0")
	wantStates(t, failed, "Completed FAILED, ResourcesAvailable PENDING, Started FAILED, ContainerReady FAILED")
	if c := completed(t, failed); c.GetMessage() != "pull r: not found" || c.GetReason() != runpb.Condition_CONTAINER_MISSING {
		t.Errorf("condition %v", c)
	}
	if task := Tasks(failed, 2, 1, nil)[0]; task.GetLabels()[StateLabel] != "Failed" ||
		task.GetLastAttemptResult().GetStatus().GetMessage() != "pull r: not found" || !task.GetCompletionTime().AsTime().Equal(at) {
		t.Errorf("task %v", task)
	}

	cancelled := CancelledExecution(x, at)
	check(t, cancelled, "succeeded 0 failed 0 cancelled 3 retried 0")
	if c := completed(t, cancelled); c.GetExecutionReason() != runpb.Condition_CANCELLED || cancelled.GetGeneration() != 2 {
		t.Errorf("execution %v", cancelled)
	}
	if task := Tasks(cancelled, 0, 10, nil)[2]; task.GetLabels()[StateLabel] != "Cancelled" || task.GetLastAttemptResult().GetStatus().GetCode() != 1 {
		t.Errorf("task %v", task)
	}
}
