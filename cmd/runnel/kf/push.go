package kf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/family"
	"runnel/cmd/runnel/source"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// clientName is what jobs remember of the program that stored them.
const clientName = "runnel kf"

// pushing is the flags of push.
type pushing struct {
	*commands
	resources
	task                bool
	image, path, base   string
	command, entrypoint string
	args, env           []string

	variables []cli.Pair // from env, by check
	flags     *pflag.FlagSet
}

// push builds "runnel kf push".
func (c *commands) push() *cobra.Command {
	p := &pushing{commands: c}
	cmd := &cobra.Command{
		Use:   "push APP --task {--docker-image IMAGE | --path DIR}",
		Short: "Make or change an app that runs tasks",
		Long: `Make an app, or change one that is there, and import its image. Nothing runs
before "runnel kf run-task", and the app has no route. Of an app that is there,
what no flag names stays, and so do variables of other names; --command '' takes
a command away. Jobs of the app are made anew from it.

--path makes the image of a directory: laid on --base-image as /workspace, where
tasks start; or, without that, by its Dockerfile, which buildah builds on this
machine.

A command is a line for the shell, /bin/sh, of the image. If the image has an
entrypoint, or --entrypoint names one, it is the only argument of that instead.`,
		Example: `  runnel kf push etl --task --docker-image debian:stable-slim -c 'echo $MODE' --env MODE=full
  runnel kf push etl --task --path . --base-image python:3-slim -m 512M`,
		Args:              want(1, "the app's name"),
		ValidArgsFunction: c.completeApps,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	p.flags = flags
	flags.BoolVar(&p.task, "task", false, "the app is for tasks: no other is pushed here")
	flags.StringVar(&p.image, "docker-image", "", "`image` to run")
	flags.StringVarP(&p.path, "path", "p", "", "`directory` to make an image of")
	flags.StringVar(&p.base, "base-image", "", "`image` that the directory is laid on")
	flags.StringVarP(&p.command, "command", "c", "", "start `command` of tasks that bring none")
	flags.StringVar(&p.entrypoint, "entrypoint", "", "`program` in the place of the image's entrypoint")
	flags.StringArrayVar(&p.args, "args", nil, "`argument` in the place of the image's, once for each; not beside --command")
	flags.StringArrayVarP(&p.env, "env", "e", nil, "environment variable, `NAME=VALUE`, once for each")
	p.register(cmd)
	cmd.RunE = c.Checked(p.check, p.do)
	return cmd
}

// check reads the flags.
func (p *pushing) check() error {
	switch {
	case !p.task:
		return cli.Usagef("--task is missing: apps are pushed to run tasks; one that serves requests is deployed with \"runnel deploy\"")
	case p.image != "" && p.path != "":
		return cli.Usagef("--path: cannot stand beside --docker-image")
	case p.base != "" && p.path == "":
		return cli.Usagef("--base-image: belongs to --path")
	case p.command != "" && len(p.args) > 0:
		return cli.Usagef("--args: cannot stand beside --command")
	}
	if p.path != "" {
		if err := p.source().Check(); err != nil {
			return inPath(err)
		}
	}
	p.variables = nil
	for _, v := range p.env {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return cli.Usagef("--env %s: want NAME=VALUE", v)
		}
		p.variables = append(p.variables, cli.Pair{Name: name, Value: value})
	}
	return p.resources.check()
}

// source is the directory that is to become an image.
func (p *pushing) source() source.Options { return source.Options{Dir: p.path, BaseImage: p.base} }

// inPath says what is wrong with a directory by the flags that there are here.
func inPath(err error) error {
	words := strings.NewReplacer("--source ", "--path ", "--no-build --base-image", "--base-image")
	return &cli.UsageError{Lines: []string{words.Replace(err.Error())}}
}

// do stores the app, and waits until its image is there.
func (p *pushing) do(ctx context.Context, r *verb.Remote, args []string) error {
	name := r.Full(jobsOf, args[0])
	job, err := r.Client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: name})
	switch {
	case verb.Is(err, codes.NotFound):
		job = nil
	case err != nil:
		return err
	case !isApp(job):
		return client.NewError(fmt.Sprintf("job [%s] is not an app: give the app another name", args[0]), nil)
	}
	if job == nil && p.image == "" && p.path == "" {
		return cli.Usagef("--docker-image or --path is missing: name an image, such as debian:stable-slim, or a directory")
	}
	if p.path != "" {
		if p.image, err = source.Upload(ctx, p.Env, r.Client, p.source()); err != nil {
			return err
		}
	}
	op, err := p.store(ctx, r, args[0], job)
	if err != nil {
		return p.inFlags(r, err)
	}
	if job, err = p.follow(ctx, r, op, "Pushing ["+args[0]+"]..."); err != nil {
		return err
	}
	if err := p.remakeJobs(ctx, r, job); err != nil {
		return err
	}
	p.Say("App [%s] has been pushed.\n\nTo run a task of it, use:\nrunnel kf run-task %[1]s", args[0])
	return nil
}

// store asks the daemon to store the app; old is nil if there is none.
func (p *pushing) store(ctx context.Context, r *verb.Remote, app string, old *runpb.Job) (*longrunningpb.Operation, error) {
	if old == nil {
		return r.Client.Jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: r.Location(), JobId: app, Job: p.over(newApp(app))})
	}
	return r.Client.Jobs.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: p.over(old)})
}

// newApp is an app without an image: its tasks run once, however long.
func newApp(app string) *runpb.Job {
	return &runpb.Job{
		Labels: map[string]string{contract.KfAppLabel: app},
		Template: &runpb.ExecutionTemplate{
			Labels:    map[string]string{contract.KfAppLabel: app},
			TaskCount: 1,
			Template: &runpb.TaskTemplate{
				Containers: []*runpb.Container{{}},
				Retries:    &runpb.TaskTemplate_MaxRetries{},
				Timeout:    durationpb.New(contract.MaxTaskTimeout),
			},
		},
	}
}

// over is job as the flags want it.
func (p *pushing) over(job *runpb.Job) *runpb.Job {
	job.Client = clientName
	k, t := container(job), job.GetTemplate()
	k.Image = cmp.Or(p.image, k.Image)
	if p.flags.Changed("entrypoint") {
		k.Command = oneOrNone(p.entrypoint)
	}
	if p.flags.Changed("args") || p.flags.Changed("command") {
		k.Args = p.args
		delete(t.GetAnnotations(), contract.KfCommand)
	}
	if p.command != "" {
		setCommand(job, p.command)
	}
	k.Env = family.MergeEnv(k.Env, p.variables)
	p.apply(job)
	return job
}

// oneOrNone is a list of s, unless that is empty.
func oneOrNone(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// setCommand has the tasks of a job run a command.
func setCommand(job *runpb.Job, command string) {
	container(job).Args = []string{command}
	job.Template.Annotations = with(job.GetTemplate().GetAnnotations(), contract.KfCommand, command)
}

// follow waits until a job that is being stored is ready.
func (c *commands) follow(ctx context.Context, r *verb.Remote, op *longrunningpb.Operation, doing string) (*runpb.Job, error) {
	tracker := stages.New(c.Env, doing)
	job, err := verb.Follow(ctx, r, op, &runpb.Job{}, func(job *runpb.Job) bool {
		tracker.Note(job.GetTerminalCondition().GetMessage())
		return false
	})
	if err != nil {
		tracker.Close(stages.Failed, "Failed.")
		return job, err
	}
	tracker.Close(stages.Done, "Done.")
	return job, nil
}

// inFlags names fields that the daemon finds wrong as the flags that set them.
func (c *commands) inFlags(r *verb.Remote, err error) error {
	err = r.Client.Explain(err)
	var answer *client.Error
	if !verb.Is(err, codes.InvalidArgument) || !errors.As(err, &answer) || len(answer.Fields) == 0 {
		return err
	}
	usage := &cli.UsageError{}
	for _, f := range answer.Fields {
		// The labels repeat the name, which is told about by itself.
		if strings.Contains(f.Path, `labels["kf-`) {
			continue
		}
		usage.Lines = append(usage.Lines, flagOf(f.Path)+": "+f.Message)
	}
	if len(usage.Lines) == 0 {
		return err
	}
	return usage
}

// flagOf is the flag, or the argument, that has set a field.
func flagOf(path string) string {
	for _, f := range []struct{ part, flag string }{
		{"jobId", "NAME"}, {".image", "--docker-image"}, {".env[", "--env"}, {".args[", "--command"}, {".command[", "--entrypoint"},
		{`limits["cpu"]`, "--cpu-cores"}, {`limits["memory"]`, "--memory-limit"},
		{"cpu", "--cpu-cores"}, {"memory", "--memory-limit"}, {"disk", "--disk-quota"},
	} {
		if strings.Contains(path, f.part) {
			return f.flag
		}
	}
	return path
}
