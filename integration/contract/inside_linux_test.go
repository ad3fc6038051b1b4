package contract

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/inside/look"
)

// seen is what a program sees of its container, as a task and as a service: the
// first test that wants to know has them look, for all. Tests only read it.
var seen struct {
	asTask, asService       sync.Once
	taskReport, serveReport *look.Report
}

// taskSees is the report of a task with the settings that a job has by itself.
func taskSees(t *testing.T, d *rig.Daemon) *look.Report {
	t.Helper()
	seen.asTask.Do(func() {
		seen.taskReport = lookFrom(t, d, "sees-task")
	})
	if seen.taskReport == nil {
		t.Fatal("the task that looks around for all tests has failed")
	}
	return seen.taskReport
}

// serviceSees is the report of a service with the settings that one has by
// itself.
func serviceSees(t *testing.T, d *rig.Daemon) *look.Report {
	t.Helper()
	seen.asService.Do(func() {
		d.CLI("deploy", "sees-service", "--image", d.Host.Inside(), "--allow-unauthenticated").Exits(0)
		r := new(look.Report)
		d.Get("sees-service", "/report").Is(d.Host, 200).Decode(d.Host, r)
		seen.serveReport = r
	})
	if seen.serveReport == nil {
		t.Fatal("the service that looks around for all tests has failed")
	}
	return seen.serveReport
}

// lookFrom has a task look around, in the image of the program unless flags say
// another.
func lookFrom(t *testing.T, d *rig.Daemon, job string, flags ...string) *look.Report {
	t.Helper()
	r := new(look.Report)
	insideTask(t, d, job, r, append([]string{"--args", "report"}, flags...)...)
	return r
}

// insideTask runs the program as a job and decodes what it prints.
func insideTask(t *testing.T, d *rig.Daemon, job string, into any, flags ...string) {
	t.Helper()
	d.CLI(append([]string{"jobs", "deploy", job, "--image", d.Host.Inside(), "--max-retries", "0", "--execute-now", "--wait"}, flags...)...).Exits(0)
	text := d.CLI("jobs", "logs", job, "--format", "value(textPayload)").Exits(0).Stdout
	if err := json.NewDecoder(strings.NewReader(text)).Decode(into); err != nil {
		t.Fatalf("%v in what the task prints:\n%s", err, rig.Clip(text))
	}
}
