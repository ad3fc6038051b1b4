package change

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/family"
	"runnel/contract"
)

// Overrides are the flags that change a job for one execution of it.
type Overrides struct {
	set *pflag.FlagSet

	args, env, containers []string
	tasks                 int
	taskTimeout           string
}

// RegisterOverrides adds the flags to set, which must be parsed before Request.
func RegisterOverrides(set *pflag.FlagSet) *Overrides {
	o := &Overrides{set: set}
	set.StringArrayVar(&o.args, "args", nil, "arguments of this execution, `WORD,...`; empty for none")
	set.StringArrayVar(&o.env, "update-env-vars", nil, "environment variables that this execution gets or has otherwise, `NAME=VALUE,...`")
	set.IntVar(&o.tasks, "tasks", 0, "number of tasks of this execution, 1 to 10000")
	set.StringVar(&o.taskTimeout, "task-timeout", "", "time for each attempt in this execution: seconds, or a form such as 10m5s")
	set.StringArrayVar(&o.containers, "container", nil, "`name` of the container that --args and --update-env-vars are about")
	return o
}

// Request is what the flags ask for, nil if nothing. A UsageError says which of
// them is wrong.
func (o *Overrides) Request() (*runpb.RunJobRequest_Overrides, error) {
	container, err := o.container()
	if err != nil {
		return nil, err
	}
	request := &runpb.RunJobRequest_Overrides{}
	if container != nil {
		request.ContainerOverrides = []*runpb.RunJobRequest_Overrides_ContainerOverride{container}
	}
	if o.set.Changed("tasks") {
		if contract.CheckTasks(int64(o.tasks)) != nil {
			return nil, cli.Usagef("--tasks %d: want %d to %d", o.tasks, contract.MinTasks, contract.MaxTasks)
		}
		request.TaskCount = int32(o.tasks)
	}
	if o.set.Changed("task-timeout") {
		if request.Timeout, err = timeout(o.taskTimeout); err != nil {
			return nil, err
		}
	}
	if container == nil && request.TaskCount == 0 && request.Timeout == nil {
		return nil, nil
	}
	return request, nil
}

// container is what the flags ask for of the container, nil if nothing.
func (o *Overrides) container() (*runpb.RunJobRequest_Overrides_ContainerOverride, error) {
	pairs, err := cli.Pairs("update-env-vars", o.env)
	if err != nil {
		return nil, err
	}
	var name string
	switch len(o.containers) {
	case 0:
	case 1:
		name = o.containers[0]
		if !o.set.Changed("args") && !o.set.Changed("update-env-vars") {
			return nil, cli.Usagef("--container %s: say what is different with --args or --update-env-vars", name)
		}
	default:
		return nil, cli.Usagef("--container %s: several containers are not supported yet: want one", o.containers[1])
	}
	if !o.set.Changed("args") && len(pairs) == 0 {
		return nil, nil
	}
	args := cli.JoinLists(o.args)
	return &runpb.RunJobRequest_Overrides_ContainerOverride{
		Name:      name,
		Args:      args,
		Env:       family.MergeEnv(nil, pairs),
		ClearArgs: o.set.Changed("args") && len(args) == 0,
	}, nil
}
