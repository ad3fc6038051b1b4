package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
	v1 "runnel/api/v1"
	"runnel/contract"
	rimage "runnel/image"
)

// maxJobFile is more than any job file needs, in bytes.
const maxJobFile = 1 << 20

// job returns the job that the flags or the file describe, complete and valid.
// A usageError says what is wrong in the words of what the user wrote.
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
	if info, err := os.Stat(f.image); err == nil && info.Mode().IsRegular() {
		return nil, usagef("--image %s: that is a file; write oci-archive:%[1]s or docker-archive:%[1]s", f.image)
	}
	if _, err := rimage.ParseReference(f.image); err != nil {
		return nil, usagef("--image: %v", err)
	}
	return job, nil
}

// fileJob reads a job file; "-" is standard input.
func fileJob(path string, stdin io.Reader) (*runpb.Job, error) {
	in, name := stdin, "standard input"
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, usagef("%s: %v", path, cause(err))
		}
		defer file.Close()
		in, name = file, path
	}
	data, err := io.ReadAll(io.LimitReader(in, maxJobFile+1))
	if err != nil {
		return nil, usagef("%s: %v", name, cause(err))
	}
	if len(data) > maxJobFile {
		return nil, usagef("%s: is larger than 1 MiB, which no job file is", name)
	}
	job, err := v1.ParseJob(data)
	if err != nil {
		return nil, prefixed(name, err)
	}
	api.DefaultJob(job)
	if err := v1.ValidateJob(job); err != nil {
		return nil, prefixed(name, err)
	}
	container := job.GetTemplate().GetTemplate().GetContainers()[0]
	if _, err := rimage.ParseReference(container.GetImage()); err != nil {
		return nil, usagef("%s: %s: %v", name, v1.Path("template.template.containers[0].image"), err)
	}
	return job, nil
}

// cause is err without the path that the message begins with anyway.
func cause(err error) error {
	if inner := (*os.PathError)(nil); errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

// flagJob puts the flags that were given into a job.
func (f *runFlags) flagJob(set *pflag.FlagSet) (*runpb.Job, error) {
	container := &runpb.Container{
		Image:   f.image,
		Command: joinLists(f.command),
		Args:    joinLists(f.args),
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
			return nil, usagef("--task-timeout: %v", err)
		}
		task.Timeout = durationpb.New(d)
	}
	if set.Changed("service-account") {
		task.ServiceAccount = f.serviceAccount
	}
	return &runpb.Job{
		Name: jobName(f.image),
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

// fieldErrors turns what validation has found into a usageError that names
// each field as the user knows it.
func fieldErrors(err error, name func(path string) string) error {
	if err == nil {
		return nil
	}
	var fields api.FieldErrors
	if !errors.As(err, &fields) {
		return &usageError{lines: []string{err.Error()}}
	}
	return &usageError{lines: strings.Split(fields.WithPaths(name).Error(), "\n")}
}

// prefixed makes a usageError of err, each line of which gets the name of the
// file it is about.
func prefixed(name string, err error) error {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, name+": "+strings.TrimSuffix(line, "\n"))
	}
	return &usageError{lines: lines}
}

// jobName makes the name of a job from the last element of its image's name.
func jobName(image string) string {
	base, _, _ := strings.Cut(image, "@")
	for _, scheme := range []string{"oci:", "oci-archive:", "docker-archive:"} {
		base = strings.TrimPrefix(base, scheme)
	}
	base = base[strings.LastIndexByte(base, '/')+1:]
	base, _, _ = strings.Cut(base, ":")
	base = strings.TrimSuffix(base, ".tar")
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, base)
	name = strings.TrimLeft(name, "-0123456789")
	name = strings.TrimRight(name[:min(len(name), contract.MaxJobName)], "-")
	if contract.CheckJobName(name) != nil {
		return "job"
	}
	return name
}
