package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	scheduler "cloud.google.com/go/scheduler/apiv1"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
)

// scheduledRun is a run of a schedule, as the daemon shows it.
type scheduledRun struct {
	ScheduleTime, AttemptTime              time.Time
	Missed                                 int
	ExecutionName, Result, Status, Message string
}

// scheduledRuns are those of a schedule, the newest first; none while the daemon
// is away.
func (d *daemon) scheduledRuns(id string) []scheduledRun {
	d.h.Helper()
	client := d.httpClient()
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://daemon/runnel/v1/schedules/" + parent + "/jobs/" + id + "/runs")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var answer struct{ Runs []scheduledRun }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		d.h.Fatalf("runs of %s: %s, %v", id, resp.Status, err)
	}
	return answer.Runs
}

// schedules is Google's Go client of schedules, over gRPC.
func (d *daemon) schedules(ctx context.Context) *scheduler.CloudSchedulerClient {
	d.h.Helper()
	c, err := scheduler.NewCloudSchedulerClient(ctx, d.grpc()...)
	if err != nil {
		d.h.Fatal(err)
	}
	d.h.Cleanup(func() { _ = c.Close() }) // as with jobs
	return c
}

// everyMinute creates a schedule that runs a job each minute, and returns the
// first of them. It is some seconds away.
func (d *daemon) everyMinute(ctx context.Context, job string) (tick time.Time) {
	d.h.Helper()
	s, err := d.schedules(ctx).CreateJob(ctx, &schedulerpb.CreateJobRequest{Parent: parent, Job: &schedulerpb.Job{
		Name: parent + "/jobs/minutely", Schedule: "* * * * *",
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{Uri: "https://run.googleapis.com/v2/" + parent + "/jobs/" + job + ":run"}},
	}})
	if err != nil {
		d.h.Fatal(err)
	}
	return s.GetScheduleTime().AsTime()
}

// contract: JOB-29, KF-11
// A tick runs the job, in a real container, on time; and where the daemon was
// killed before it, once it is there again. Either way there is one execution.
func TestScheduleRunsItsJobOnTheMinute(t *testing.T) {
	hostOnly(t, "there a minute is too short for what it does in one")
	h := openHost(t)
	steady, killed := h.serve(), h.serve()
	ctx := h.limit(3*time.Minute + patience())
	for _, d := range []*daemon{steady, killed} {
		d.createJob(ctx, "hello", single(h, "echo hello from $CLOUD_RUN_JOB"))
	}
	if left := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)); left < 10*time.Second {
		<-time.After(left) // too near a minute to be sure of being before it
	}
	tick := steady.everyMinute(ctx, "hello")
	if other := killed.everyMinute(ctx, "hello"); !other.Equal(tick) {
		t.Fatalf("one is due at %v, the other at %v", tick, other)
	}
	<-time.After(time.Until(tick) - 200*time.Millisecond)
	killed.kill()
	steady.eventually("the run", func() bool { return len(steady.scheduledRuns("minutely")) > 0 })
	<-time.After(time.Until(tick.Add(2 * time.Second)))
	killed.start()
	killed.eventually("the run", func() bool { return len(killed.scheduledRuns("minutely")) > 0 })
	killed.kill() // and once more, in the middle of it
	killed.start()
	for name, d := range map[string]*daemon{"steady": steady, "killed": killed} {
		if _, err := d.schedules(ctx).PauseJob(ctx, &schedulerpb.PauseJobRequest{Name: parent + "/jobs/minutely"}); err != nil {
			t.Fatal(err)
		}
		runs := d.scheduledRuns("minutely")
		if len(runs) != 1 || !runs[0].ScheduleTime.Equal(tick) || runs[0].Missed != 0 {
			t.Fatalf("%s: %+v", name, runs)
		}
		x := d.completed(ctx, runs[0].ExecutionName)
		if log := d.logs(x); x.GetSucceededCount() != 1 || strings.Count(log, "hello from hello\n") != 1 {
			t.Errorf("%s: %v\n%s", name, x, log)
		}
		if all := d.executionList(ctx, parent+"/jobs/hello"); len(all) != 1 {
			t.Errorf("%s: %d executions", name, len(all))
		}
		if late := runs[0].AttemptTime.Sub(tick); name == "steady" && late > 10*time.Second {
			t.Errorf("%v late", late)
		}
	}
}

// contract: KF-10
// What overlaps runs beside what is there, instead of it, or not at all.
func TestSchedulesThatOverlap(t *testing.T) {
	h := openHost(t)
	d := h.serve()
	ctx := h.limit(2 * patience())
	d.createJob(ctx, "long", single(h, "trap 'exit 5' TERM; echo begun; sleep 600 & wait"))
	names := []string{"--project", "demo", "--region", "europe-west1"}
	for _, policy := range []string{"Allow", "Forbid", "Replace"} {
		id := strings.ToLower(policy)
		d.cli(append([]string{"jobs", "schedule", "long", "@yearly", "--schedule-name", id, "--concurrency-policy", policy}, names...)...).exits(0)
		d.cli(append([]string{"schedules", "run", id}, names...)...).exits(0)
		first := d.scheduledRuns(id)[0].ExecutionName
		d.eventually("the first to run", func() bool { return d.execution(ctx, first).GetRunningCount() == 1 })
		second := d.cli(append([]string{"schedules", "run", id}, names...)...)
		runs := d.scheduledRuns(id)
		old := d.execution(ctx, first)
		switch policy {
		case "Allow":
			second.exits(0)
			if len(runs) != 2 || runs[0].ExecutionName == "" || old.GetCompletionTime() != nil {
				t.Errorf("%s: %+v, the first: %v", policy, runs, old)
			}
		case "Forbid":
			second.exits(1)
			if len(runs) != 2 || runs[0].Result != "left out" || runs[0].Status != "FAILED_PRECONDITION" || old.GetCompletionTime() != nil {
				t.Errorf("%s: %+v, the first: %v", policy, runs, old)
			}
		case "Replace":
			second.exits(0)
			if len(runs) != 2 || runs[1].Result != "cancelled" || runs[0].ExecutionName == "" || old.GetCancelledCount() != 1 {
				t.Errorf("%s: %+v, the first: %v", policy, runs, old)
			}
		}
	}
	d.cli(append([]string{"jobs", "delete", "long", "--quiet"}, names...)...).exits(0)
}

// execution is an execution as it stands.
func (d *daemon) execution(ctx context.Context, name string) *runpb.Execution {
	d.h.Helper()
	x, err := d.executions(ctx).GetExecution(ctx, &runpb.GetExecutionRequest{Name: name})
	if err != nil {
		d.h.Fatal(err)
	}
	return x
}
