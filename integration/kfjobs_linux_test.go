package integration

import (
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"runnel/integration/rig"
)

// fire has the schedule of a Kf job run it, as its time would.
func (w *kfWorld) fire(job string) *schedulerpb.Job {
	w.Host.Helper()
	conn, err := grpc.NewClient("unix:"+w.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		w.Host.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // it was read from
	s, err := schedulerpb.NewCloudSchedulerClient(conn).RunJob(w.Host.Limit(rig.Patience()), &schedulerpb.RunJobRequest{Name: "projects/local/locations/us-central1/jobs/" + job})
	if err != nil {
		w.Host.Fatal(err)
	}
	return s
}

// history is "SUCCEEDED REASON" of each task of a Kf job, the oldest first.
func (w *kfWorld) history(job string) string {
	w.Host.Helper()
	out := w.kf("job-history", job, "-o", "jsonpath={range .items[*]}{.status.conditions[0].status} {.status.conditions[0].reason};{end}").Stdout
	return strings.TrimSuffix(strings.ReplaceAll(out, " ;", ";"), ";")
}

// contract: KF-10
func TestKfJobs(t *testing.T) {
	w := openKf(t)
	w.kf("push", "etl", "--task", "--docker-image", w.image, "-m", "128M", "--cpu-cores", "0.2")
	w.kf("create-job", "etl", "tick", "echo tick", "-s", "* * * * *").Shows("Job tick created.")
	const loop = "echo begin; trap 'exit 0' TERM; while :; do sleep 0.1; done"
	for policy, want := range map[string]string{
		"Always":  "Unknown Running;Unknown Running",
		"Forbid":  "Unknown Running",
		"Replace": "False PipelineRunCancelled;Unknown Running",
	} {
		job := strings.ToLower(policy)
		w.kf("create-job", "etl", job, loop, "-c", policy)
		for range 2 {
			w.fire(job)
			w.Until("a task of "+job+" to run", func() bool { return strings.HasSuffix(w.history(job), "Unknown Running") })
		}
		w.Until(job+" to be "+want, func() bool { return w.history(job) == want })
	}
	table := w.kf("jobs").Stdout
	for _, want := range []string{`(?m)^forbid +0 0 30 2 \* +true +\d+[smh] +Forbid +\d+[smh] +True +<nil>$`, `(?m)^tick +\* \* \* \* \* +<nil> +\S+ +Always `} {
		if !regexp.MustCompile(want).MatchString(table) {
			t.Errorf("lacks %s:\n%s", want, table)
		}
	}
	if table := w.kf("job-schedules").Stdout; strings.Contains(table, "forbid") || !strings.Contains(table, "tick") {
		t.Errorf("job-schedules:\n%s", table)
	}
	byHand := w.task(w.kf("run-job", "tick", "-m", "256M"))
	w.until(byHand, "True")
	w.kf("delete-job", "always").Shows("Deleted job [always].")
	w.CLI("kf", "run-job", "always").Exits(1).Shows("cannot find job [always]")
	// The minute comes.
	w.Until("the tick", func() bool { return strings.Count(w.history("tick"), "True") > 1 })
	w.kf("delete-job-schedule", "tick").Shows("Job schedule for tick deleted.")
	w.kf("jobs").Shows("tick     0 0 30 2 *")
	if out := w.kf("logs", "tick", "--task", "--recent").Stdout; strings.Count(out, " tick\n") < 2 {
		t.Errorf("printed:\n%s", out)
	}
	w.kf("delete", "etl")
	if out := w.kf("jobs", "-o", "name").Stdout + w.kf("tasks", "-o", "name").Stdout; out != "" {
		t.Errorf("left:\n%s", out)
	}
}
