package api_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
)

// sample is a job that says as little as a job can.
func sample() *runpb.Job {
	return &runpb.Job{Template: &runpb.ExecutionTemplate{Template: &runpb.TaskTemplate{
		Containers: []*runpb.Container{{Image: "nginx"}},
	}}}
}

func task(j *runpb.Job) *runpb.TaskTemplate   { return j.Template.Template }
func container(j *runpb.Job) *runpb.Container { return task(j).Containers[0] }
func setLimits(j *runpb.Job, kv ...string) {
	container(j).Resources = &runpb.ResourceRequirements{Limits: map[string]string{}}
	for i := 0; i < len(kv); i += 2 {
		container(j).Resources.Limits[kv[i]] = kv[i+1]
	}
}

func retries(n int32) *runpb.TaskTemplate_MaxRetries {
	return &runpb.TaskTemplate_MaxRetries{MaxRetries: n}
}

func env(kv ...string) (vars []*runpb.EnvVar) {
	for i := 0; i < len(kv); i += 2 {
		vars = append(vars, &runpb.EnvVar{Name: kv[i], Values: &runpb.EnvVar_Value{Value: kv[i+1]}})
	}
	return vars
}

func secret(name string) *runpb.EnvVar {
	return &runpb.EnvVar{Name: name, Values: &runpb.EnvVar_ValueSource{ValueSource: &runpb.EnvVarSource{
		SecretKeyRef: &runpb.SecretKeySelector{Secret: "s"},
	}}}
}

const (
	taskPath = "template.template."
	inside   = "template.template.containers[0]."
)

// contract: IMG-13 JOB-1 JOB-2 JOB-4 JOB-6 LIM-8 CPU-2 CPU-3 MEM-4 ENV-7 ENV-8 ENV-9 MEM-5
func TestValidateJob(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("a", n) }
	for _, tt := range []struct {
		name   string
		change func(*runpb.Job)
		// want lists the paths that must be refused, none if the job is fine.
		want []string
	}{
		{"as little as possible", func(j *runpb.Job) {}, nil},
		{"no template", func(j *runpb.Job) { j.Template = nil }, []string{"template"}},
		{"no task template", func(j *runpb.Job) { j.Template.Template = nil }, []string{"template.template"}},

		{"short name", func(j *runpb.Job) { j.Name = "my-job" }, nil},
		{"full name", func(j *runpb.Job) { j.Name = "projects/p/locations/r/jobs/my-job" }, nil},
		{"name of 49", func(j *runpb.Job) { j.Name = long(49) }, nil},
		{"name of 50", func(j *runpb.Job) { j.Name = long(50) }, []string{"name"}},
		{"name of another kind", func(j *runpb.Job) { j.Name = "projects/p/locations/r/services/s" }, []string{"name"}},
		{"name with a newline", func(j *runpb.Job) { j.Name = "a\nb" }, []string{"name"}},

		{"tasks unset", func(j *runpb.Job) { j.Template.TaskCount = 0 }, nil},
		{"10,000 tasks", func(j *runpb.Job) { j.Template.TaskCount = 10_000 }, nil},
		{"10,001 tasks", func(j *runpb.Job) { j.Template.TaskCount = 10_001 }, []string{"template.taskCount"}},
		{"-1 tasks", func(j *runpb.Job) { j.Template.TaskCount = -1 }, []string{"template.taskCount"}},
		{"parallelism as tasks", func(j *runpb.Job) { j.Template.TaskCount, j.Template.Parallelism = 5, 5 }, nil},
		{"parallelism above tasks", func(j *runpb.Job) { j.Template.TaskCount, j.Template.Parallelism = 5, 6 }, []string{"template.parallelism"}},
		{"parallelism above the default", func(j *runpb.Job) { j.Template.Parallelism = 2 }, []string{"template.parallelism"}},

		{"no retries", func(j *runpb.Job) { task(j).Retries = retries(0) }, nil},
		{"10 retries", func(j *runpb.Job) { task(j).Retries = retries(10) }, nil},
		{"11 retries", func(j *runpb.Job) { task(j).Retries = retries(11) }, []string{taskPath + "maxRetries"}},
		{"-1 retries", func(j *runpb.Job) { task(j).Retries = retries(-1) }, []string{taskPath + "maxRetries"}},
		{"168 hours", func(j *runpb.Job) { task(j).Timeout = durationpb.New(168 * time.Hour) }, nil},
		{"168 hours and a bit", func(j *runpb.Job) { task(j).Timeout = durationpb.New(168*time.Hour + 1) }, []string{taskPath + "timeout"}},
		{"no time at all", func(j *runpb.Job) { task(j).Timeout = &durationpb.Duration{} }, []string{taskPath + "timeout"}},
		{"not a duration", func(j *runpb.Job) { task(j).Timeout = &durationpb.Duration{Seconds: 1, Nanos: -1} }, []string{taskPath + "timeout"}},
		{"beyond any duration", func(j *runpb.Job) { task(j).Timeout = &durationpb.Duration{Seconds: 1 << 62} }, []string{taskPath + "timeout"}},

		{"gen2", func(j *runpb.Job) {
			task(j).ExecutionEnvironment = runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2
		}, nil},
		{"gen1", func(j *runpb.Job) {
			task(j).ExecutionEnvironment = runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1
		}, []string{taskPath + "executionEnvironment"}},
		{"GPU", func(j *runpb.Job) { task(j).NodeSelector = &runpb.NodeSelector{Accelerator: "nvidia-l4"} }, []string{taskPath + "nodeSelector.accelerator"}},
		{"GPU limit", func(j *runpb.Job) { setLimits(j, "nvidia.com/gpu", "1") }, []string{inside + `resources.limits["nvidia.com/gpu"]`}},
		{"account", func(j *runpb.Job) { task(j).ServiceAccount = "a@b.iam.gserviceaccount.com" }, nil},
		{"not an account", func(j *runpb.Job) { task(j).ServiceAccount = "root" }, []string{taskPath + "serviceAccount"}},
		{"account with a path", func(j *runpb.Job) { task(j).ServiceAccount = "a@b/../token" }, []string{taskPath + "serviceAccount"}},
		{"settings without a meaning here", func(j *runpb.Job) {
			task(j).VpcAccess, task(j).EncryptionKey = &runpb.VpcAccess{Connector: "c"}, "k"
			j.BinaryAuthorization = &runpb.BinaryAuthorization{}
		}, nil},

		{"no container", func(j *runpb.Job) { task(j).Containers = nil }, []string{taskPath + "containers"}},
		{"two containers", func(j *runpb.Job) { task(j).Containers = append(task(j).Containers, container(j)) }, []string{taskPath + "containers"}},
		{"nil container", func(j *runpb.Job) { task(j).Containers[0] = nil }, []string{inside + "image"}},
		{"no image", func(j *runpb.Job) { container(j).Image = "" }, []string{inside + "image"}},
		{"image with a space", func(j *runpb.Job) { container(j).Image = "my image" }, []string{inside + "image"}},
		{"name of a container", func(j *runpb.Job) { container(j).Name = "hello-1" }, nil},
		{"bad name of a container", func(j *runpb.Job) { container(j).Name = "Hello" }, []string{inside + "name"}},
		{"command and arguments", func(j *runpb.Job) { container(j).Command, container(j).Args = []string{"sh"}, []string{"", "$(HOME)"} }, nil},
		{"empty program", func(j *runpb.Job) { container(j).Command = []string{""} }, []string{inside + "command[0]"}},
		{"1,000 arguments", func(j *runpb.Job) { container(j).Args = make([]string, 1000) }, nil},
		{"1,001 arguments", func(j *runpb.Job) { container(j).Args = make([]string, 1001) }, []string{inside + "args"}},
		{"zero byte", func(j *runpb.Job) { container(j).Args = []string{"a", "b\x00"} }, []string{inside + "args[1]"}},
		{"longest argument", func(j *runpb.Job) { container(j).Args = []string{long(131_071)} }, nil},
		{"longer argument", func(j *runpb.Job) { container(j).Args = []string{long(131_072)} }, []string{inside + "args[0]"}},
		{"working directory", func(j *runpb.Job) { container(j).WorkingDir = "/srv" }, nil},
		{"relative directory", func(j *runpb.Job) { container(j).WorkingDir = "srv" }, []string{inside + "workingDir"}},

		{"value of 32 KiB", func(j *runpb.Job) { container(j).Env = env("A", long(32_768)) }, nil},
		{"value above 32 KiB", func(j *runpb.Job) { container(j).Env = env("A", long(32_769)) }, []string{inside + "env[0].value"}},
		{"name of 32 KiB", func(j *runpb.Job) { container(j).Env = env(long(32_768), "") }, nil},
		{"name above 32 KiB", func(j *runpb.Job) { container(j).Env = env(long(32_769), "") }, []string{inside + "env[0].name"}},
		{"variable twice", func(j *runpb.Job) { container(j).Env = env("A", "1", "A", "2") }, nil},
		{"no variable name", func(j *runpb.Job) { container(j).Env = env("A", "1", "", "2") }, []string{inside + "env[1].name"}},
		{"name with =", func(j *runpb.Job) { container(j).Env = env("A=B", "1") }, []string{inside + "env[0].name"}},
		{"reserved names", func(j *runpb.Job) {
			container(j).Env = env("PORT", "1", "K_SERVICE", "x", "CLOUD_RUN_JOB", "x", "MY_PORT", "1")
		},
			[]string{inside + "env[0].name", inside + "env[1].name", inside + "env[2].name"}},
		{"zero byte in a value", func(j *runpb.Job) { container(j).Env = env("A", "\x00") }, []string{inside + "env[0].value"}},
		{"1,001 variables", func(j *runpb.Job) { container(j).Env = env(strings.Split(strings.Repeat("A,1,", 1001), ",")[:2002]...) }, []string{inside + "env"}},
		{"secret", func(j *runpb.Job) { container(j).Env = []*runpb.EnvVar{secret("A")} }, []string{inside + "env[0].valueSource"}},
		{"secret twice", func(j *runpb.Job) { container(j).Env = append(env("A", "1"), secret("A")) }, []string{inside + "env[1].valueSource", inside + "env[1].name"}},

		{"half a CPU", func(j *runpb.Job) { setLimits(j, "cpu", "500m", "memory", "1Gi") }, nil},
		{"eight CPUs", func(j *runpb.Job) { setLimits(j, "cpu", "8", "memory", "32Gi") }, nil},
		{"one CPU and a half", func(j *runpb.Job) { setLimits(j, "cpu", "1.5") }, []string{inside + `resources.limits["cpu"]`}},
		{"CPU in words", func(j *runpb.Job) { setLimits(j, "cpu", "two", "memory", "64Gi") }, []string{inside + `resources.limits["cpu"]`}},
		{"a terabyte", func(j *runpb.Job) { setLimits(j, "memory", "1Ti") }, []string{inside + `resources.limits["memory"]`}},
		{"memory in words", func(j *runpb.Job) { setLimits(j, "memory", "lots") }, []string{inside + `resources.limits["memory"]`}},
		{"too much for the default CPU", func(j *runpb.Job) { setLimits(j, "memory", "8Gi") }, []string{inside + `resources.limits["memory"]`}},
		{"default memory too little", func(j *runpb.Job) { setLimits(j, "cpu", "4") }, []string{inside + `resources.limits["memory"]`}},
		{"another limit", func(j *runpb.Job) { setLimits(j, "disk", "1Gi") }, []string{inside + `resources.limits["disk"]`}},

		{"volume", func(j *runpb.Job) {
			task(j).Volumes = []*runpb.Volume{{Name: "v"}}
			container(j).VolumeMounts = []*runpb.VolumeMount{{Name: "v"}}
		}, []string{inside + "volumeMounts[0]", taskPath + "volumes[0]"}},
		{"port", func(j *runpb.Job) { container(j).Ports = []*runpb.ContainerPort{{ContainerPort: 8080}} }, []string{inside + "ports[0]"}},
		{"probes", func(j *runpb.Job) {
			container(j).StartupProbe, container(j).LivenessProbe = &runpb.Probe{}, &runpb.Probe{}
		},
			[]string{inside + "livenessProbe", inside + "startupProbe"}},
		{"dependency", func(j *runpb.Job) { container(j).DependsOn = []string{"proxy"} }, []string{inside + "dependsOn[0]"}},
		{"source code", func(j *runpb.Job) { container(j).SourceCode, container(j).BaseImageUri = &runpb.SourceCode{}, "x" },
			[]string{inside + "sourceCode", inside + "baseImageUri"}},

		{"token", func(j *runpb.Job) {
			j.Name, j.CreateExecution = "j", &runpb.Job_StartExecutionToken{StartExecutionToken: "v1"}
		}, nil},
		{"token that is too long", func(j *runpb.Job) {
			j.Name, j.CreateExecution = long(49), &runpb.Job_RunExecutionToken{RunExecutionToken: long(14)}
		}, []string{"runExecutionToken"}},
		{"token with a slash", func(j *runpb.Job) { j.CreateExecution = &runpb.Job_StartExecutionToken{StartExecutionToken: "a/b"} }, []string{"startExecutionToken"}},

		{"everything at once", func(j *runpb.Job) {
			j.Name, j.Template.TaskCount, container(j).Image, task(j).Retries = "X", 20_000, "", retries(99)
		}, []string{"name", "template.taskCount", inside + "image", taskPath + "maxRetries"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			job := sample()
			tt.change(job)
			checkPaths(t, api.ValidateJob(job), tt.want)
		})
	}
}

// checkPaths compares the paths that err names with want.
func checkPaths(t *testing.T, err error, want []string) {
	t.Helper()
	var fields api.FieldErrors
	if err != nil && !errors.As(err, &fields) {
		t.Fatalf("%T is not FieldErrors", err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, f.Path)
		if f.Message == "" || len(f.Message) > 300 || strings.ContainsAny(f.Message, "\x00\n") {
			t.Errorf("%s has the message %.400q", f.Path, f.Message)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q\n%v", got, want, err)
	}
}

func TestLabelsAndAnnotations(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 65 {
		many[fmt.Sprintf("k%d", i)] = ""
	}
	for k, v := range map[string]string{
		"team": "a", "a_b-1": "x_y-2", "client.knative.dev/nonce": "abcdefghij", "équipe": "été", strings.Repeat("a", 63): strings.Repeat("1", 63),
		"example.com/team": "",
	} {
		job := sample()
		job.Labels, job.Template.Labels = map[string]string{k: v}, map[string]string{k: v}
		checkPaths(t, api.ValidateJob(job), nil)
	}
	for _, kv := range [][2]string{
		{"", ""}, {"1a", ""}, {"Team", ""}, {"team", "A"}, {"team", "a b"}, {"a.b", ""}, {"/a", ""}, {"a/b/c", ""},
		{strings.Repeat("a", 64), ""}, {"a", strings.Repeat("a", 64)}, {"a", "\xff"},
		{"run.googleapis.com/x", ""}, {"cloud.googleapis.com/location", "r"}, {"serving.knative.dev/x", ""}, {"autoscaling.knative.dev/x", "1"},
	} {
		job := sample()
		job.Labels = map[string]string{kv[0]: kv[1]}
		checkPaths(t, api.ValidateJob(job), []string{fmt.Sprintf("labels[%q]", kv[0])})
		job = sample()
		job.Template.Labels = map[string]string{kv[0]: kv[1]}
		checkPaths(t, api.ValidateJob(job), []string{fmt.Sprintf("template.labels[%q]", kv[0])})
	}
	job := sample()
	job.Labels = many
	job.Annotations = map[string]string{"": "", "run.googleapis.com/execution-environment": "gen2", "Anything.Else": "\x00 is ✓"}
	job.Template.Annotations = map[string]string{"big": strings.Repeat("a", 256<<10)}
	checkPaths(t, api.ValidateJob(job), []string{
		"labels", `annotations[""]`, `annotations["run.googleapis.com/execution-environment"]`, "template.annotations",
	})
}

func TestFieldErrorsRead(t *testing.T) {
	t.Parallel()
	job := sample()
	task(job).Retries = retries(11)
	setLimits(job, "cpu", "1.5")
	want := `template.template.containers[0].resources.limits["cpu"]: 1.5 CPU is not offered: want 0.08 to 1 in steps of 0.001, or 1, 2, 4, 6 or 8
template.template.maxRetries: 11 retries are not possible: want 0 to 10`
	err := api.ValidateJob(job)
	if err == nil || err.Error() != want {
		t.Errorf("ValidateJob:\n%v\nwant:\n%s", err, want)
	}
	var fields api.FieldErrors
	if !errors.As(err, &fields) {
		t.Fatalf("%T is not FieldErrors", err)
	}
	moved := fields.WithPaths(strings.ToUpper)
	if moved[1].Path != "TEMPLATE.TEMPLATE.MAXRETRIES" || fields[1].Path != "template.template.maxRetries" {
		t.Errorf("WithPaths = %v of %v", moved, fields)
	}
}
