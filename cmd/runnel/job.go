package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
	v1 "runnel/api/v1"
	"runnel/cmd/runnel/cli"
	"runnel/contract"
	rimage "runnel/image"
)

// job returns the job that the flags or the file describe, complete and valid.
// A UsageError says what is wrong in the words of what the user wrote.
func (f *runFlags) job(set *pflag.FlagSet, args []string, stdin io.Reader) (*runpb.Job, error) {
	if len(args) == 1 {
		return fileJob(args[0], stdin)
	}
	job, err := f.flagJob(set)
	if err != nil {
		return nil, err
	}
	api.DefaultJob(job)
	if err := fieldErrors(api.ValidateJob(job), f.flagOf); err != nil {
		return nil, err
	}
	if err := cli.CheckImage(f.image); err != nil {
		return nil, err
	}
	if _, err := rimage.ParseReference(f.image); err != nil {
		return nil, cli.Usagef("--image: %v", err)
	}
	return job, nil
}

// fileJob reads a job file; "-" is standard input.
func fileJob(path string, stdin io.Reader) (*runpb.Job, error) {
	return cli.ParseFile(path, stdin, v1.ParseJob, func(job *runpb.Job) error {
		api.DefaultJob(job)
		if err := v1.ValidateJob(job); err != nil {
			return err
		}
		container := job.GetTemplate().GetTemplate().GetContainers()[0]
		if _, err := rimage.ParseReference(container.GetImage()); err != nil {
			return api.FieldErrors{{Path: v1.Path("template.template.containers[0].image"), Message: err.Error()}}
		}
		return nil
	})
}

// flagJob puts the flags that were given into a job.
func (f *runFlags) flagJob(set *pflag.FlagSet) (*runpb.Job, error) {
	container := &runpb.Container{
		Image:   f.image,
		Command: cli.JoinLists(f.command),
		Args:    cli.JoinLists(f.args),
	}
	var err error
	if container.Env, err = parseEnv(f.env); err != nil {
		return nil, err
	}
	limits := map[string]string{}
	for flag, value := range map[string]string{"cpu": f.cpu, "memory": f.memory} {
		if set.Changed(flag) {
			limits[flag] = value
		}
	}
	if len(limits) > 0 {
		container.Resources = &runpb.ResourceRequirements{Limits: limits}
	}
	task := &runpb.TaskTemplate{Containers: []*runpb.Container{container}}
	if set.Changed("max-retries") {
		task.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: int32(f.maxRetries)}
	}
	if set.Changed("task-timeout") {
		d, err := contract.ParseDuration(f.taskTimeout)
		if err != nil {
			return nil, cli.Usagef("--task-timeout: %v", err)
		}
		task.Timeout = durationpb.New(d)
	}
	if set.Changed("service-account") {
		task.ServiceAccount = f.serviceAccount
	}
	return &runpb.Job{
		Name: cli.NameOf("job", f.image),
		Template: &runpb.ExecutionTemplate{
			TaskCount:   int32(f.tasks),
			Parallelism: int32(f.parallelism),
			Template:    task,
		},
	}, nil
}

// flagOf is how a field of the job is named on the command line, with the value
// that was given, where it is one.
func (f *runFlags) flagOf(path string) string {
	const container = "template.template.containers[0]."
	for _, field := range []struct{ path, flag string }{
		{"template.taskCount", fmt.Sprintf("--tasks %d", f.tasks)},
		{"template.parallelism", fmt.Sprintf("--parallelism %d", f.parallelism)},
		{"template.template.maxRetries", fmt.Sprintf("--max-retries %d", f.maxRetries)},
		{"template.template.timeout", "--task-timeout " + f.taskTimeout},
		{"template.template.serviceAccount", "--service-account " + f.serviceAccount},
		{container + "image", "--image " + f.image},
		{container + `resources.limits["cpu"]`, "--cpu " + f.cpu},
		{container + `resources.limits["memory"]`, "--memory " + f.memory},
		{container + "env", "--set-env-vars"},
		{container + "command", "--command"},
		{container + "args", "--args"},
	} {
		if strings.HasPrefix(path, field.path) {
			return field.flag
		}
	}
	return path
}

// fieldErrors turns what validation has found into a UsageError that names
// each field as the user knows it.
func fieldErrors(err error, name func(path string) string) error {
	if err == nil {
		return nil
	}
	var fields api.FieldErrors
	if !errors.As(err, &fields) {
		return &cli.UsageError{Lines: []string{err.Error()}}
	}
	return &cli.UsageError{Lines: strings.Split(fields.WithPaths(name).Error(), "\n")}
}
