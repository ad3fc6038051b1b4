package contract

import (
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
	"runnel/internal/inside/look"
)

// seen is what a program sees of its container, as a task and as a service: the
// first test that wants to know has them look, for all. Tests only read it.
var seen struct {
	asTask, asService         sync.Once
	taskReport, serviceReport *look.Report
}

// taskSees is the report of a task with the settings that a job has by itself.
func taskSees(t *testing.T, d *rig.Daemon) *look.Report {
	t.Helper()
	seen.asTask.Do(func() {
		r := new(look.Report)
		insideTask(t, d, "sees-task", r, "--args", "report")
		seen.taskReport = r
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
		act(d, "sees-service", "report", r)
		d.CLI("services", "delete", "sees-service", "--quiet").Exits(0) // its memory is for others
		seen.serviceReport = r
	})
	if seen.serviceReport == nil {
		t.Fatal("the service that looks around for all tests has failed")
	}
	return seen.serviceReport
}

// bothSee are the two of them, by what they are.
func bothSee(t *testing.T, d *rig.Daemon) map[string]*look.Report {
	t.Helper()
	return map[string]*look.Report{"task": taskSees(t, d), "service": serviceSees(t, d)}
}

// insideTask runs the program as a job and decodes what it prints.
func insideTask(t *testing.T, d *rig.Daemon, job string, into any, flags ...string) {
	t.Helper()
	d.CLI(append([]string{"jobs", "deploy", job, "--image", d.Host.Inside(), "--max-retries", "0", "--execute-now", "--wait"}, flags...)...).Exits(0)
	printed(t, d, job, into)
}

// smallTask is insideTask with less CPU and memory than a job has by itself.
func smallTask(t *testing.T, d *rig.Daemon, job string, into any, flags ...string) {
	t.Helper()
	insideTask(t, d, job, into, append([]string{"--cpu", "0.2", "--memory", "128Mi"}, flags...)...)
}

// taskOf has the task of a job with that container do what its arguments say, by
// Google's client, and decodes what it prints.
func taskOf(t *testing.T, d *rig.Daemon, job string, k *runpb.Container, into any) {
	t.Helper()
	deletesJob(t, d, job)
	ctx := d.Host.Limit(rig.Patience())
	op, err := d.Jobs(ctx).CreateJob(ctx, &runpb.CreateJobRequest{Parent: here, JobId: job, Job: &runpb.Job{
		Template: &runpb.ExecutionTemplate{Template: &runpb.TaskTemplate{Containers: []*runpb.Container{k}, Retries: &runpb.TaskTemplate_MaxRetries{}}},
	}})
	if err == nil {
		_, err = op.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.CLI("jobs", "execute", job, "--wait").Exits(0)
	printed(t, d, job, into)
}

// outputOf runs an image as a job and gives what its task prints.
func outputOf(d *rig.Daemon, job, image string) string {
	d.Host.Helper()
	deletesJob(d.Host, d, job)
	d.CLI("jobs", "deploy", job, "--image", image, "--cpu", "0.1", "--memory", "128Mi", "--execute-now", "--wait").Exits(0)
	return d.CLI("jobs", "logs", job, "--format", "value(textPayload)").Exits(0).Stdout
}

// printed decodes what the last execution of a job has printed.
func printed(t *testing.T, d *rig.Daemon, job string, into any) {
	t.Helper()
	text := d.CLI("jobs", "logs", job, "--format", "value(textPayload)").Exits(0).Stdout
	if err := json.NewDecoder(strings.NewReader(text)).Decode(into); err != nil {
		t.Fatalf("%v in what the task prints:\n%s", err, rig.Clip(text))
	}
}

// serveInside deploys the program as a service of one small instance.
func serveInside(d *rig.Daemon, service string, flags ...string) {
	d.Host.Helper()
	args := []string{"deploy", service, "--image", d.Host.Inside(), "--allow-unauthenticated", "--memory", "128Mi", "--max-instances", "1"}
	d.CLI(append(args, flags...)...).Exits(0)
	d.Host.Cleanup(func() { d.CLI("services", "delete", service, "--quiet") }) // it may be gone
}

// act has a service do something, see internal/inside. What it takes are names
// and values in turn.
func act(d *rig.Daemon, service, action string, into any, takes ...string) {
	d.Host.Helper()
	d.Get(service, "/"+action+"?"+query(takes)).Is(d.Host, 200).Decode(d.Host, into)
}

func query(takes []string) string {
	v := url.Values{}
	for i := 0; i+1 < len(takes); i += 2 {
		v.Add(takes[i], takes[i+1])
	}
	return v.Encode()
}

// written is what the program tells of a file that it wrote, or of memory that
// it took.
type written struct {
	Written                   int64
	Error                     string
	MemoryBefore, MemoryAfter int64
}

// grown is how much memory the cgroup is charged with since, in MiB.
func (w written) grown() int64 { return (w.MemoryAfter - w.MemoryBefore) >> 20 }

// lookup is a variable of an environment, "" if there is none.
func lookup(env []string, name string) string {
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
