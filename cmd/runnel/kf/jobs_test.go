package kf

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/contract"
	"runnel/control/controltest"
)

// create makes a Kf job whose command has no quotes.
func (w *world) create(words ...string) {
	w.t.Helper()
	if got := w.line(append([]string{"create-job"}, words...)...); got.Code != 0 || !strings.Contains(got.Stderr, "Job "+words[1]+" created.") {
		w.t.Fatalf("create-job %v: %+v", words, got)
	}
}

// suspension is "SCHEDULE SUSPEND POLICY" of a Kf job.
func (w *world) suspension(job string) string {
	w.t.Helper()
	for _, row := range rows(w.must("jobs")) {
		if row[0] == job {
			return fmt.Sprint(row[1], " ", row[2], " ", row[4])
		}
	}
	w.t.Fatalf("there is no job %s", job)
	return ""
}

// contract: KF-10
func TestJobsAreListedWithTheirSchedules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push("etl")
	w.create("etl", "idle", "load")
	w.create("etl", "nightly", "load --full", "-s", "0 2 * * *", "-c", "Forbid", "-m", "256M", "--cpu-cores", "0.2", "-k", "3G")
	table := rows(w.must("jobs"))
	if fmt.Sprint(table[0]) != "[Name Schedule Suspend LastSchedule ConcurrencyPolicy Age Ready Reason]" || len(table) != 3 {
		t.Fatalf("jobs: %v", table)
	}
	if got := w.suspension("idle"); got != "0 0 30 2 * true Always" {
		t.Errorf("idle: %s", got)
	}
	if got := w.suspension("nightly"); got != "0 2 * * * <nil> Forbid" {
		t.Errorf("nightly: %s", got)
	}
	if table = rows(w.must("job-schedules")); len(table) != 2 || table[1][0] != "nightly" {
		t.Errorf("job-schedules: %v", table)
	}
	if out := w.line("jobs", "-o", "jsonpath={range .items[*]}{.kind} {.metadata.name} {.spec.schedule} {.spec.taskTemplate.command} {.spec.taskTemplate.memory} {.spec.taskTemplate.disk};{end}").Stdout; out != "TaskSchedule nightly 0 2 * * * load --full 256Mi 3Gi;TaskSchedule idle 0 0 30 2 * load 1Gi 1Gi;" {
		t.Errorf("as objects: %s", out)
	}
	if table = rows(w.must("apps")); len(table) != 2 {
		t.Errorf("apps: %v", table)
	}
}

// contract: KF-10
func TestAJobIsScheduledAndSuspended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push("etl")
	w.create("etl", "nightly", "load", "-c", "Replace")
	for _, tt := range []struct {
		line []string
		out  string
		says string
		want string
	}{
		{[]string{"schedule-job", "nightly", "0 2 * * *"}, "Job nightly scheduled.\n", "", "0 2 * * * <nil> Replace"},
		{[]string{"schedule-job", "nightly", "0 3 * * *"}, "Job nightly scheduled.\n", "WARNING: Scheduling an already scheduled Job.", "0 3 * * * <nil> Replace"},
		{[]string{"schedule-job", "nightly", "soon"}, "", `Schedule "soon" is not a valid cron schedule: `, "0 3 * * * <nil> Replace"},
		{[]string{"delete-job-schedule", "nightly", "guid"}, "Job schedule for nightly deleted.\n", "WARNING: Ignoring SCHEDULE-GUID arg.", "0 0 30 2 * true Replace"},
		{[]string{"delete-job-schedule", "nightly"}, "", "Job is already suspended.", "0 0 30 2 * true Replace"},
		{[]string{"schedule-job", "nightly", "0 0 30 2 *"}, "", "never comes", "0 0 30 2 * true Replace"},
		{[]string{"schedule-job", "nightly", "5 4 * * *"}, "Job nightly scheduled.\n", "", "5 4 * * * <nil> Replace"},
	} {
		if got := w.line(tt.line...); got.Stdout != tt.out || !strings.Contains(got.Stderr, tt.says) || (got.Code == 0) != (tt.out != "") {
			t.Errorf("%v: %+v", tt.line, got)
		}
		if got := w.suspension("nightly"); got != tt.want {
			t.Errorf("after %v: %s, want %s", tt.line, got, tt.want)
		}
	}
}

// contract: KF-10
func TestAJobIsRunByHandAndBySchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push("etl")
	w.create("etl", "nightly", "load", "-s", "0 2 * * *")
	got := w.line("run-job", "nightly", "-m", "2G")
	if got.Code != 0 {
		t.Fatalf("run-job: %+v", got)
	}
	byHand := w.submitted(got.Stdout)
	w.ended(byHand)
	s, err := w.Control.RunSchedule(t.Context(), controltest.Parent+"/jobs/nightly")
	if err != nil || s.GetStatus().GetCode() != 0 {
		t.Fatalf("the schedule: %v, %v", s, err)
	}
	history := rows(w.must("job-history nightly"))
	if len(history) != 3 || history[1][0] != byHand || history[1][1] != "1" || history[2][1] != "2" {
		t.Fatalf("history: %v", history)
	}
	w.ended(history[2][0])
	w.run("etl")
	if table := rows(w.must("tasks etl")); len(table) != 4 || table[3][1] != "3" {
		t.Errorf("tasks of the app: %v", table)
	}
	x, err := w.Control.Execution(t.Context(), controltest.Parent+"/jobs/nightly/executions/"+byHand)
	if err != nil {
		t.Fatal(err)
	}
	k := x.GetTemplate().GetContainers()[0]
	if fmt.Sprintf("%v %v %s", k.GetCommand(), k.GetArgs(), k.GetResources().GetLimits()["memory"]) != "[/bin/sh -c] [load] 2Gi" {
		t.Errorf("by hand: %v", k)
	}
	if suspended := rows(w.must("jobs"))[1]; suspended[3] == "<nil>" {
		t.Errorf("the last run is not told: %v", suspended)
	}
}

// contract: KF-10
func TestDeletedJobTakesItsTasksAndItsSchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hang()
	w.push("etl")
	w.create("etl", "nightly", "load", "-s", "0 2 * * *")
	w.must("run-job nightly")
	mine := w.run("etl")
	w.Until("both to run", func() bool { return len(w.Instances.Running()) == 2 })
	w.must("delete-job nightly")
	if table := rows(w.must("jobs")); len(table) != 1 {
		t.Errorf("jobs: %v", table)
	}
	if table := rows(w.must("tasks")); len(table) != 2 || table[1][0] != mine {
		t.Errorf("tasks: %v", table)
	}
	_, err := w.Control.Schedule(t.Context(), controltest.Parent+"/jobs/nightly")
	if status.Code(err) != codes.NotFound {
		t.Errorf("the schedule: %v", err)
	}
	// With the app goes everything.
	w.create("etl", "other", "load", "-s", "0 2 * * *")
	w.must("delete etl")
	if jobs, apps := rows(w.must("jobs")), rows(w.must("apps")); len(jobs)+len(apps) != 2 {
		t.Errorf("left: %v, %v", jobs, apps)
	}
	if _, err = w.Control.Schedule(t.Context(), controltest.Parent+"/jobs/other"); status.Code(err) != codes.NotFound {
		t.Errorf("the schedule of the other: %v", err)
	}
}

func TestPushMakesTheJobsOfTheAppAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push("etl")
	w.create("etl", "nightly", "load", "-m", "256M")
	w.must("push etl --task --env A=1 -m 2G --docker-image registry.example/other:2")
	job, err := w.Control.Job(t.Context(), controltest.Parent+"/jobs/nightly")
	if err != nil {
		t.Fatal(err)
	}
	k := container(job)
	if k.GetImage() != "registry.example/other:2" || k.GetEnv()[0].GetValue() != "1" || k.GetArgs()[0] != "load" ||
		k.GetResources().GetLimits()["memory"] != "256Mi" || kfJobOf(job) != "nightly" || job.GetTemplate().GetLabels()[contract.KfJobLabel] != "nightly" {
		t.Errorf("the job: %v", job)
	}
}

// What cannot be made whole is not made at all.
// contract: KF-10
func TestJobsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.push("etl")
	w.create("etl", "nightly", "load")
	plain := w.Job("plain", 1)
	_, err := w.Control.CreateSchedule(t.Context(), &schedulerpb.CreateJobRequest{Parent: controltest.Parent, Job: &schedulerpb.Job{
		Name: controltest.Parent + "/jobs/taken", Schedule: "0 2 * * *",
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{Uri: "https://run.googleapis.com/v2/" + plain + ":run"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		line string
		want string
	}{
		{"create-job etl", "the job's name is missing"},
		{"create-job etl new", "the command is missing"},
		{"create-job etl nightly again", "there is a job or an app [nightly] already"},
		{"create-job etl plain load", "there is a job or an app [plain] already"},
		{"create-job etl taken load", "there is a schedule [taken] already"},
		{"create-job etl new load -c Sometimes", "--concurrency-policy Sometimes: want Always, Replace or Forbid"},
		{"create-job etl new load -s @now", `Schedule "@now" is not a valid cron schedule`},
		{"create-job etl new load -m 64M", "--memory-limit: 64Mi is too little"},
		{"create-job etl NEW load", `"NEW" is not a valid name`},
		{"create-job none new load", "cannot find app [none]"},
		{"run-job none", "cannot find job [none]"},
		{"run-job etl", "[etl] is not a job of an app"},
		{"run-job plain", "[plain] is not a job of an app"},
		{"schedule-job nightly", "the schedule is missing"},
		{"schedule-job none x", "cannot find job [none]"},
		{"delete-job plain", "[plain] is not a job of an app"},
		{"job-history none", "cannot find job [none]"},
	} {
		if got := w.do(tt.line); got.Code == 0 || !strings.Contains(got.Stderr, tt.want) || strings.Contains(got.Stderr, "label") || got.Stdout != "" {
			t.Errorf("%s: exit %d, %q; want %q", tt.line, got.Code, got.Stderr, tt.want)
		}
	}
	w.Until("what was begun to be gone", func() bool {
		all, _ := w.Control.Schedule(t.Context(), controltest.Parent+"/jobs/new")
		_, err := w.Control.Job(t.Context(), controltest.Parent+"/jobs/taken")
		_, err2 := w.Control.Job(t.Context(), controltest.Parent+"/jobs/new")
		return all == nil && status.Code(err) == codes.NotFound && status.Code(err2) == codes.NotFound
	})
	if got := w.suspension("nightly"); got != "0 0 30 2 * true Always" {
		t.Errorf("nightly: %s", got)
	}
	if job, err := w.Control.Job(t.Context(), plain); err != nil || job.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Errorf("the plain job: %v, %v", job, err)
	}
}
