package change

import (
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
)

// container is the container of task that the flags are about; a task that has
// none gets one.
func (f *Flags) container(task *runpb.TaskTemplate) (*runpb.Container, error) {
	var name string
	if len(f.containers) > 0 {
		name = f.containers[0]
	}
	switch {
	case len(task.Containers) == 0:
		task.Containers = []*runpb.Container{{Name: name}}
	case name != "":
		i := slices.IndexFunc(task.Containers, func(c *runpb.Container) bool { return c.GetName() == name })
		if i < 0 {
			return nil, cli.Usagef("--container %s: the job has no container of that name", name)
		}
		return task.Containers[i], nil
	case len(task.Containers) > 1:
		return nil, cli.Usagef("the job has several containers: say with --container which one is meant")
	}
	return task.Containers[0], nil
}

// applyContainer changes c.
func (f *Flags) applyContainer(c *runpb.Container) error {
	if f.set.Changed("image") {
		c.Image = f.image
	}
	if f.set.Changed("command") {
		c.Command = cli.JoinLists(f.command)
	}
	if f.set.Changed("args") {
		c.Args = cli.JoinLists(f.args)
	}
	for name, value := range map[string]string{"cpu": f.cpu, "memory": f.memory} {
		if f.set.Changed(name) {
			setLimit(c, name, value)
		}
	}
	return f.applyEnv(c)
}

// setLimit sets one of the limits of c, "" removes it.
func setLimit(c *runpb.Container, name, value string) {
	if c.Resources == nil {
		c.Resources = &runpb.ResourceRequirements{}
	}
	if c.Resources.Limits == nil {
		c.Resources.Limits = map[string]string{}
	}
	if value == "" {
		delete(c.Resources.Limits, name)
		return
	}
	c.Resources.Limits[name] = value
}

// applyEnv changes the environment of c. Variables keep their place, new ones
// come last.
func (f *Flags) applyEnv(c *runpb.Container) error {
	if f.set.Changed("env-vars-file") {
		pairs, err := envFile(f.envFile)
		if err != nil {
			return err
		}
		c.Env = mergeEnv(nil, pairs)
		return nil
	}
	if f.env.clears() {
		c.Env = nil
	}
	c.Env = slices.DeleteFunc(c.Env, func(v *runpb.EnvVar) bool { return slices.Contains(f.env.removed(), v.GetName()) })
	c.Env = mergeEnv(c.Env, f.env.pairs())
	return nil
}

// mergeEnv sets variables in env.
func mergeEnv(env []*runpb.EnvVar, pairs []cli.Pair) []*runpb.EnvVar {
	for _, p := range pairs {
		v := &runpb.EnvVar{Name: p.Name, Values: &runpb.EnvVar_Value{Value: p.Value}}
		if i := slices.IndexFunc(env, func(v *runpb.EnvVar) bool { return v.GetName() == p.Name }); i >= 0 {
			env[i] = v
			continue
		}
		env = append(env, v)
	}
	return env
}
