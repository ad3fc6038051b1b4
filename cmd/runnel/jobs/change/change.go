// Package change is what the flags of "runnel jobs" say about a job: they are
// read, checked against each other, and applied to the job as it is, so that
// whatever no flag names stays. It is pure but for the file of environment
// variables that a flag may name.
package change

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/family"
	"runnel/contract"
)

// Flags are those that describe a job. Only those that were given say anything.
type Flags struct {
	set *pflag.FlagSet

	image, cpu, memory, taskTimeout string
	command, args, containers       []string
	tasks, parallelism, maxRetries  int
	serviceAccount                  string
	env                             family.Mapping
	labels                          family.Mapping
	envFile                         string
}

// Register adds the flags to set, which must be parsed before Apply.
func Register(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set}
	set.StringVar(&f.image, "image", "", "image to run, such as debian:stable-slim or host:5000/repo@sha256:...")
	set.StringArrayVar(&f.command, "command", nil, "entrypoint instead of the image's, `WORD,...`; empty for the image's")
	set.StringArrayVar(&f.args, "args", nil, "arguments instead of the image's, `WORD,...`; empty for the image's")
	f.env.Register(set, "env-vars", "environment variables")
	set.StringVar(&f.envFile, "env-vars-file", "", "`file` of environment variables that become all there are: YAML, or lines of NAME=VALUE if its name ends in .env")
	set.IntVar(&f.tasks, "tasks", 0, "number of tasks, 1 to 10000")
	set.IntVar(&f.parallelism, "parallelism", 0, "most tasks at once; 0 for as many as fit on the host")
	set.IntVar(&f.maxRetries, "max-retries", 0, "times a failed task is tried again, 0 to 10")
	set.StringVar(&f.taskTimeout, "task-timeout", "", "time for each attempt: seconds, or a form such as 10m5s")
	set.StringVar(&f.cpu, "cpu", "", "CPUs of each task: 0.08 to 1, or 2, 4, 6, 8")
	set.StringVar(&f.memory, "memory", "", "memory of each task, such as 512Mi or 2Gi")
	set.StringVar(&f.serviceAccount, "service-account", "", "service account that the metadata server names")
	f.labels.Register(set, "labels", "labels of the job and its executions")
	set.StringArrayVar(&f.containers, "container", nil, "`name` of the container that the flags are about")
	return f
}

// Check refuses flags that contradict each other or that no job can hold,
// before a daemon is asked.
func (f *Flags) Check() error {
	switch {
	case f.set.Changed("image") && strings.TrimSpace(f.image) == "":
		return cli.Usagef("--image: want an image, such as debian:stable-slim")
	case len(f.containers) > 1:
		return cli.Usagef("--container %s: several containers are not supported yet: want one", f.containers[1])
	case f.set.Changed("tasks") && contract.CheckTasks(int64(f.tasks)) != nil:
		return cli.Usagef("--tasks %d: want %d to %d", f.tasks, contract.MinTasks, contract.MaxTasks)
	case f.parallelism < 0 || f.parallelism > contract.MaxTasks:
		return cli.Usagef("--parallelism %d: want 0 (as many as fit) to the number of tasks", f.parallelism)
	case f.maxRetries < 0 || f.maxRetries > contract.MaxRetries:
		return cli.Usagef("--max-retries %d: want 0 to %d", f.maxRetries, contract.MaxRetries)
	case f.set.Changed("task-timeout"):
		if _, err := timeout(f.taskTimeout); err != nil {
			return err
		}
	}
	if f.set.Changed("env-vars-file") {
		if other := f.env.Given(); other != "" {
			return cli.Usagef("--%s: cannot stand beside --env-vars-file", other)
		}
	}
	if err := f.env.Check(); err != nil {
		return err
	}
	return f.labels.Check()
}

// Given reports whether any of the flags was.
func (f *Flags) Given() bool {
	for _, name := range []string{
		"image", "command", "args", "env-vars-file", "tasks", "parallelism", "max-retries",
		"task-timeout", "cpu", "memory", "service-account", "container",
	} {
		if f.set.Changed(name) {
			return true
		}
	}
	return f.env.Given() != "" || f.labels.Given() != ""
}

// Image is the image that was given, "" if none was.
func (f *Flags) Image() string { return f.image }

// Apply changes job as the flags say, which Check has found in order. A
// UsageError says what cannot be done to this job.
func (f *Flags) Apply(job *runpb.Job) error {
	if job.Template == nil {
		job.Template = &runpb.ExecutionTemplate{}
	}
	execution := job.Template
	if execution.Template == nil {
		execution.Template = &runpb.TaskTemplate{}
	}
	if f.set.Changed("tasks") {
		execution.TaskCount = int32(f.tasks)
	}
	if f.set.Changed("parallelism") {
		execution.Parallelism = int32(f.parallelism)
	}
	if err := f.applyTask(execution.Template); err != nil {
		return err
	}
	if f.labels.Given() == "" {
		return nil
	}
	job.Labels = f.labels.Apply(job.Labels)
	execution.Labels = f.labels.Apply(execution.Labels)
	return nil
}

// applyTask changes the template of tasks, and the container in it.
func (f *Flags) applyTask(task *runpb.TaskTemplate) error {
	if f.set.Changed("max-retries") {
		task.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: int32(f.maxRetries)}
	}
	if f.set.Changed("task-timeout") {
		d, err := timeout(f.taskTimeout)
		if err != nil {
			return err
		}
		task.Timeout = d
	}
	if f.set.Changed("service-account") {
		task.ServiceAccount = f.serviceAccount
	}
	container, err := f.container(task)
	if err != nil {
		return err
	}
	return f.applyContainer(container)
}

// timeout reads the value of --task-timeout.
func timeout(value string) (*durationpb.Duration, error) {
	d, err := contract.ParseDuration(value)
	if err != nil {
		return nil, cli.Usagef("--task-timeout: %v", err)
	}
	if err := contract.CheckTaskTimeout(d); err != nil {
		return nil, cli.Usagef("--task-timeout %s: %v", value, err)
	}
	return durationpb.New(d), nil
}
