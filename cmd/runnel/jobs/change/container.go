package change

import (
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/family"
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
			family.SetLimit(c, name, value)
		}
	}
	return family.ApplyEnv(c, &f.env, f.envFile)
}
