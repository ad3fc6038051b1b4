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

	"runnel/integration/rig"
)

// scheduledRun is a run of a schedule, as the daemon shows it.
type scheduledRun struct {
	ScheduleTime, AttemptTime              time.Time
	Missed                                 int
	ExecutionName, Result, Status, Message string
}

// scheduledRuns are those of a schedule, the newest first; none while the daemon
// is away.
func scheduledRuns(d *rig.Daemon, id string) []scheduledRun {
	d.Host.Helper()
	client := d.HTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://daemon/runnel/v1/schedules/" + rig.Parent + "/jobs/" + id + "/runs")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var answer struct{ Runs []scheduledRun }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		d.Host.Fatalf("runs of %s: %s, %v", id, resp.Status, err)
	}
	return answer.Runs
}

// schedulesOf is Google's Go client of schedules, over gRPC.
func schedulesOf(d *rig.Daemon, ctx context.Context) *scheduler.CloudSchedulerClient {
	d.Host.Helper()
	c, err := scheduler.NewCloudSchedulerClient(ctx, d.GRPC()...)
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = c.Close() }) // as with jobs
	return c
}

// everyMinute creates a schedule that runs a job each minute, and returns the
// first of them. It is some seconds away.
func everyMinute(d *rig.Daemon, ctx context.Context, job string) (tick time.Time) {
	d.Host.Helper()
	s, err := schedulesOf(d, ctx).CreateJob(ctx, &schedulerpb.CreateJobRequest{Parent: rig.Parent, Job: &schedulerpb.Job{
		Name: rig.Parent + "/jobs/minutely", Schedule: "* * * * *",
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{Uri: "https://run.googleapis.com/v2/" + rig.Parent + "/jobs/" + job + ":run"}},
	}})
	if err != nil {
		d.Host.Fatal(err)
	}
	return s.GetScheduleTime().AsTime()
}

// contract: JOB-29, KF-11
// A tick runs the job, in a real container, on time; and where the daemon was
// killed before it, once it is there again. Either way there is one execution.
func TestScheduleRunsItsJobOnTheMinute(t *testing.T) {
	rig.HostOnly(t, "there a minute is too short for what it does in one")
	h := openHost(t)
	steady, killed := h.Serve(), h.Serve()
	ctx := h.Limit(3*time.Minute + rig.Patience())
	for _, d := range []*rig.Daemon{steady, killed} {
		createJob(d, ctx, "hello", single(h, "echo hello from $CLOUD_RUN_JOB"))
	}
	if left := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)); left < 10*time.Second {
		<-time.After(left) // too near a minute to be sure of being before it
	}
	tick := everyMinute(steady, ctx, "hello")
	if other := everyMinute(killed, ctx, "hello"); !other.Equal(tick) {
		t.Fatalf("one is due at %v, the other at %v", tick, other)
	}
	<-time.After(time.Until(tick) - 200*time.Millisecond)
	killed.Kill()
	steady.Eventually("the run", func() bool { return len(scheduledRuns(steady, "minutely")) > 0 })
	<-time.After(time.Until(tick.Add(2 * time.Second)))
	killed.Start()
	killed.Eventually("the run", func() bool { return len(scheduledRuns(killed, "minutely")) > 0 })
	killed.Kill() // and once more, in the middle of it
	killed.Start()
	for name, d := range map[string]*rig.Daemon{"steady": steady, "killed": killed} {
		if _, err := schedulesOf(d, ctx).PauseJob(ctx, &schedulerpb.PauseJobRequest{Name: rig.Parent + "/jobs/minutely"}); err != nil {
			t.Fatal(err)
		}
		runs := scheduledRuns(d, "minutely")
		if len(runs) != 1 || !runs[0].ScheduleTime.Equal(tick) || runs[0].Missed != 0 {
			t.Fatalf("%s: %+v", name, runs)
		}
		x := completedOf(d, ctx, runs[0].ExecutionName)
		if log := d.Logs(x); x.GetSucceededCount() != 1 || strings.Count(log, "hello from hello\n") != 1 {
			t.Errorf("%s: %v\n%s", name, x, log)
		}
		if all := executionList(d, ctx, rig.Parent+"/jobs/hello"); len(all) != 1 {
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
	d := h.Serve()
	ctx := h.Limit(2 * rig.Patience())
	createJob(d, ctx, "long", single(h, "trap 'exit 5' TERM; echo begun; sleep 600 & wait"))
	names := []string{"--project", "demo", "--region", "europe-west1"}
	for _, policy := range []string{"Allow", "Forbid", "Replace"} {
		id := strings.ToLower(policy)
		d.CLI(append([]string{"jobs", "schedule", "long", "@yearly", "--schedule-name", id, "--concurrency-policy", policy}, names...)...).Exits(0)
		d.CLI(append([]string{"schedules", "run", id}, names...)...).Exits(0)
		first := scheduledRuns(d, id)[0].ExecutionName
		d.Eventually("the first to run", func() bool { return executionOf(d, ctx, first).GetRunningCount() == 1 })
		second := d.CLI(append([]string{"schedules", "run", id}, names...)...)
		runs := scheduledRuns(d, id)
		old := executionOf(d, ctx, first)
		switch policy {
		case "Allow":
			second.Exits(0)
			if len(runs) != 2 || runs[0].ExecutionName == "" || old.GetCompletionTime() != nil {
				t.Errorf("%s: %+v, the first: %v", policy, runs, old)
			}
		case "Forbid":
			second.Exits(1)
			if len(runs) != 2 || runs[0].Result != "left out" || runs[0].Status != "FAILED_PRECONDITION" || old.GetCompletionTime() != nil {
				t.Errorf("%s: %+v, the first: %v", policy, runs, old)
			}
		case "Replace":
			second.Exits(0)
			if len(runs) != 2 || runs[1].Result != "cancelled" || runs[0].ExecutionName == "" || old.GetCancelledCount() != 1 {
				t.Errorf("%s: %+v, the first: %v", policy, runs, old)
			}
		}
	}
	d.CLI(append([]string{"jobs", "delete", "long", "--quiet"}, names...)...).Exits(0)
}

// executionOf is an execution as it stands.
func executionOf(d *rig.Daemon, ctx context.Context, name string) *runpb.Execution {
	d.Host.Helper()
	x, err := d.Executions(ctx).GetExecution(ctx, &runpb.GetExecutionRequest{Name: name})
	if err != nil {
		d.Host.Fatal(err)
	}
	return x
}
