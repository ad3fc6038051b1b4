package scheduler

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

func planFor(t *testing.T, job *runpb.Job) *plan {
	t.Helper()
	s := New(Config{
		ProjectID: "demo", Region: "europe-west1", ServiceAccount: "def@demo", PIDs: 77, Budget: room(100),
		ProjectNumber: func(project string) string { return map[string]string{"demo": "123", "p": "456"}[project] },
	})
	x, err := s.NewExecution(job, "migrate-b5s8r")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(x)
	if err := p.describe(&s.config, &rimage.Image{Reference: "r"}); err != nil {
		t.Fatal(err)
	}
	return p
}

// contract: JOB-1, JOB-2, JOB-4, JOB-6, JOB-9
func TestPlanDefaults(t *testing.T) {
	t.Parallel()
	p := planFor(t, &runpb.Job{
		Name:     "projects/p/locations/r/jobs/migrate",
		Template: &runpb.ExecutionTemplate{Template: &runpb.TaskTemplate{Containers: []*runpb.Container{{}}}},
	})
	if p.tasks != 1 || p.maxRetries != 3 || p.timeout != 10*time.Minute || p.parallelism != 1 {
		t.Errorf("tasks %d, retries %d, timeout %s, parallelism %d", p.tasks, p.maxRetries, p.timeout, p.parallelism)
	}
	spec := p.attempt(0, 0)
	if l := spec.Containers[0].Limits; l.CPU != 1000 || l.Memory != 512*contract.MiB || l.PIDs != 77 {
		t.Errorf("limits %+v", l)
	}
	if p.x.GetName() != "projects/p/locations/r/jobs/migrate/executions/migrate-b5s8r" || p.job != "migrate" {
		t.Errorf("name %s, job %s", p.x.GetName(), p.job)
	}
	if spec.Identity.ServiceAccount != "def@demo" || spec.Identity.ProjectID != "p" ||
		spec.Identity.ProjectNumber != "456" || spec.Identity.Region != "r" {
		t.Errorf("identity %+v", spec.Identity)
	}
}

// contract: ENV-3, ENV-8, JOB-2
func TestAttemptSpec(t *testing.T) {
	t.Parallel()
	job := testJob(3, 2, 0, time.Minute)
	container := job.GetTemplate().GetTemplate().GetContainers()[0]
	container.Command, container.Args, container.WorkingDir = []string{"/bin/c"}, []string{"a", "b"}, "/w"
	container.Resources.Limits = map[string]string{"cpu": "2", "memory": "1Gi"}
	for _, v := range []string{"A=1", "B=x=y", "A=3", "A=4", "A=5", "A=6", "A=7", "A=2", "CLOUD_RUN_JOB=forged"} {
		name, value, _ := strings.Cut(v, "=")
		container.Env = append(container.Env, &runpb.EnvVar{Name: name, Values: &runpb.EnvVar_Value{Value: value}})
	}
	job.GetTemplate().GetTemplate().ServiceAccount = "sa@demo"
	p := planFor(t, job)
	if p.maxRetries != 0 || p.timeout != time.Minute || p.parallelism != 2 {
		t.Errorf("retries %d, timeout %s, parallelism %d", p.maxRetries, p.timeout, p.parallelism)
	}
	first, second := p.attempt(2, 1), p.attempt(1, 0)
	want := []string{
		"A=2", "B=x=y", "CLOUD_RUN_JOB=forged",
		"CLOUD_RUN_JOB=migrate", "CLOUD_RUN_EXECUTION=migrate-b5s8r",
		"CLOUD_RUN_TASK_INDEX=2", "CLOUD_RUN_TASK_ATTEMPT=1", "CLOUD_RUN_TASK_COUNT=3",
	}
	main := first.Containers[0]
	if !slices.Equal(main.Env, want) {
		t.Errorf("env %q, want %q", main.Env, want)
	}
	uid := strings.ReplaceAll(p.x.GetUid(), "-", "")[:12]
	if first.ID != "migrate-b5s8r-"+uid+"-2-1" || second.ID != "migrate-b5s8r-"+uid+"-1-0" {
		t.Errorf("IDs %s, %s", first.ID, second.ID)
	}
	if main.Image.Reference != "r" || first.Hostname != "localhost" || main.WorkingDir != "/w" ||
		!slices.Equal(main.Command, []string{"/bin/c"}) || !slices.Equal(main.Args, []string{"a", "b"}) {
		t.Errorf("spec %+v", first)
	}
	if main.Limits.CPU != 2000 || main.Limits.Memory != contract.GiB {
		t.Errorf("limits %+v", main.Limits)
	}
	if id := first.Identity; id.ServiceAccount != "sa@demo" || id.ProjectID != "demo" || id.ProjectNumber != "123" || id.Region != "europe-west1" {
		t.Errorf("identity %+v", id)
	}
}

// contract: MD-7
func TestInstanceIDsAreLongHexAndUnique(t *testing.T) {
	t.Parallel()
	p, other := planFor(t, testJob(2, 0, 0, time.Minute)), planFor(t, testJob(2, 0, 0, time.Minute))
	hex := regexp.MustCompile(`^[0-9a-f]{130}$`)
	seen := make(map[string]bool)
	for _, spec := range []rruntime.Spec{p.attempt(0, 0), p.attempt(0, 1), p.attempt(1, 0), other.attempt(0, 0)} {
		id := spec.Identity.InstanceID
		if seen[id] || !hex.MatchString(id) {
			t.Errorf("instance ID %s", id)
		}
		seen[id] = true
	}
	again := p.attempt(0, 1)
	if first := p.attempt(0, 1); first.Identity.InstanceID != again.Identity.InstanceID {
		t.Error("the instance ID of an attempt changes")
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, want string
		change     func(*runpb.TaskTemplate)
	}{
		{"no container", "job migrate: 0 containers: want one", func(t *runpb.TaskTemplate) { t.Containers = nil }},
		{"two containers", "job migrate: 2 containers: want one", func(t *runpb.TaskTemplate) {
			t.Containers = append(t.Containers, &runpb.Container{})
		}},
		{"a secret", "job migrate: environment variable S: values from secrets are not supported", func(t *runpb.TaskTemplate) {
			t.Containers[0].Env = []*runpb.EnvVar{{Name: "S", Values: &runpb.EnvVar_ValueSource{ValueSource: &runpb.EnvVarSource{}}}}
		}},
		{"cpu", `job migrate: cpu limit: "x" is not a CPU amount`, func(t *runpb.TaskTemplate) {
			t.Containers[0].Resources.Limits["cpu"] = "x"
		}},
		{"memory", `job migrate: memory limit: "x" is not a memory amount`, func(t *runpb.TaskTemplate) {
			t.Containers[0].Resources.Limits["memory"] = "x"
		}},
	} {
		job := testJob(1, 0, 0, time.Minute)
		tc.change(job.GetTemplate().GetTemplate())
		_, err := New(somewhere(Config{Budget: room(1)})).NewExecution(job, "")
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestPlanKeepsItsOwnTemplate(t *testing.T) {
	t.Parallel()
	job := testJob(1, 0, 0, time.Minute)
	job.GetTemplate().Labels = map[string]string{"team": "a"}
	p := planFor(t, job)
	job.GetTemplate().GetTemplate().GetContainers()[0].Image = "changed"
	status := p.execution(&progress{})
	if got := status.GetTemplate().GetContainers()[0].GetImage(); got != "registry.example/migrate:1" {
		t.Errorf("image %s", got)
	}
	if status.GetLabels()["team"] != "a" {
		t.Errorf("labels %v", status.GetLabels())
	}
}

// contract: ENV-6
func TestNames(t *testing.T) {
	t.Parallel()
	if name := newExecutionName("migrate"); !regexp.MustCompile(`^migrate-[a-z0-9]{5}$`).MatchString(name) {
		t.Errorf("execution %s", name)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := newUID(), newUID()
	if again := taskUID(a, 0); again != taskUID(a, 0) {
		t.Errorf("the UID of a task changes: %s", again)
	}
	for _, uid := range []string{a, b, taskUID(a, 0), taskUID(a, 1), taskUID(b, 0)} {
		if !uuid.MatchString(uid) {
			t.Errorf("UID %s", uid)
		}
	}
	if a == b || taskUID(a, 0) == taskUID(a, 1) || taskUID(a, 0) == taskUID(b, 0) {
		t.Error("UIDs are not what they should be")
	}
}

func TestInstanceNamesStayApart(t *testing.T) {
	t.Parallel()
	label := regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)
	seen := make(map[string]bool)
	long := strings.Repeat("j", 61)
	for _, name := range []string{"migrate-b5s8r", "migrate-b5s8r", long + "a", long + "b", strings.Repeat("j-", 30) + "j"} {
		x := &runpb.Execution{Name: "projects/p/locations/l/jobs/j/executions/" + name, Uid: newUID()}
		for _, index := range []int{0, 1, 11, 9999} {
			for _, attempt := range []int{0, 1, 10} {
				id := InstanceID(x, index, attempt)
				if !label.MatchString(id) || seen[id] || id != InstanceID(x, index, attempt) {
					t.Errorf("instance %s (%d characters)", id, len(id))
				}
				seen[id] = true
			}
		}
	}
}
