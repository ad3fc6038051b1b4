package control

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/api"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/store"
)

// TaskOverrides is what one task has in the place of its app's settings; what is
// empty stays the app's.
type TaskOverrides struct {
	// Command is the start command.
	Command string
	// CPU is a quantity such as 0.5 or 500m; Memory and Disk are as Cloud Foundry
	// writes them, such as 256M.
	CPU, Memory, Disk string
	// DisplayName is what the task is called beside its name: at most 128
	// printable characters.
	DisplayName string
}

// maxDisplayName bounds a task's display name, in characters.
const maxDisplayName = 128

// checkDisplayName refuses what no table could show.
func (o TaskOverrides) checkDisplayName() error {
	unprintable := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if utf8.RuneCountInString(o.DisplayName) > maxDisplayName || strings.ContainsFunc(o.DisplayName, unprintable) {
		return violation("displayName", "%.40q is no name: want at most %d printable characters", o.DisplayName, maxDisplayName)
	}
	return nil
}

// RunTask creates a task of an app, or of a Kf job: an execution, which is
// durable when it returns. The operation is done when it has ended. Overrides
// hold for this task only.
func (c *Control) RunTask(ctx context.Context, full string, o TaskOverrides) (*runpb.Execution, *longrunningpb.Operation, error) {
	n, err := c.parseOne("name", full, atJob)
	if err != nil {
		return nil, nil, err
	}
	job, err := c.runnable(n, nil)
	switch {
	case err != nil:
		return nil, nil, err
	case job.GetTemplate().GetLabels()[contract.KfAppLabel] == "":
		return nil, nil, wrongState("Job '%s' is not an app: want one that was made with \"runnel kf push\".", n.id())
	}
	if err := o.over(job); err != nil {
		return nil, nil, err
	}
	l, err := c.launchUnnamed(ctx, job, caller(ctx), (*launch).follow)
	if err != nil {
		return nil, nil, err
	}
	x := c.show(proto.CloneOf(l.execution), l.note)
	return x, l.op.message(x), nil
}

// over changes job, which is nobody else's, for one task.
func (o TaskOverrides) over(job *runpb.Job) error {
	if err := o.checkDisplayName(); err != nil {
		return err
	}
	t := job.GetTemplate()
	if t.Annotations == nil {
		t.Annotations = map[string]string{}
	}
	for name, value := range map[string]string{contract.KfCommand: o.Command, contract.KfDisplayName: o.DisplayName} {
		if value != "" {
			t.Annotations[name] = value
		}
	}
	if o.Command != "" {
		t.GetTemplate().GetContainers()[0].Args = []string{o.Command}
	}
	if o.Disk != "" {
		disk, err := contract.ParseKfBytes(o.Disk)
		if err != nil {
			return violation("disk", "%v", err)
		}
		t.Annotations[contract.KfDisk] = disk.String()
	}
	if err := o.resize(t.GetTemplate().GetContainers()[0]); err != nil {
		return err
	}
	if err := api.ValidateJob(job); err != nil {
		return invalidResource(err, "RunTaskRequest", taskPath)
	}
	return nil
}

// resize changes what the container k may have.
func (o TaskOverrides) resize(k *runpb.Container) error {
	if o.CPU == "" && o.Memory == "" {
		return nil
	}
	limits := k.GetResources().GetLimits() // complete, as it is stored
	cpu, err := contract.ParseCPU(limits["cpu"])
	if o.CPU != "" {
		cpu, err = contract.ParseCPU(o.CPU)
	}
	if err != nil {
		return violation("cpu", "%v", err)
	}
	memory, err := contract.ParseBytes(limits["memory"])
	if o.Memory != "" {
		memory, err = contract.ParseKfBytes(o.Memory)
	}
	if err != nil {
		return violation("memory", "%v", err)
	}
	limits["cpu"], limits["memory"] = contract.KfCPU(cpu, memory).String(), memory.String()
	return nil
}

// taskPath turns the path of a job's field into that of the override that has
// changed it.
func taskPath(path string) string {
	switch path {
	case containerField + `.resources.limits["cpu"]`:
		return "cpu"
	case containerField + `.resources.limits["memory"]`:
		return "memory"
	}
	return "app." + path
}

// errNoCommand is a task without anything to run. Source: kf run-task.
func errNoCommand() error { return wrongState("Start command not found on App or Task") }

// completeTask gives the job of a task what it has not from its app: the
// variables of the space, and what its command means with the image of a digest.
// Other jobs stay as they are.
func (c *Control) completeTask(job *runpb.Job, digest string) error {
	app := job.GetTemplate().GetLabels()[contract.KfAppLabel]
	if app == "" {
		return nil
	}
	img, err := c.config.Images.Image(digest)
	if digest == "" || err != nil {
		return wrongState("App '%s' has no image, which is not there yet or could not be imported: push it again.", app)
	}
	k := job.GetTemplate().GetTemplate().GetContainers()[0]
	k.Env = mergeEnv(c.spaceEnv(), k.GetEnv())
	return startCommand(k, job.GetTemplate().GetAnnotations()[contract.KfCommand], img)
}

// spaceEnv are the variables that all apps have.
func (c *Control) spaceEnv() (env []*runpb.EnvVar) {
	for _, name := range slices.Sorted(maps.Keys(c.config.SpaceEnv)) {
		env = append(env, &runpb.EnvVar{Name: name, Values: &runpb.EnvVar_Value{Value: c.config.SpaceEnv[name]}})
	}
	return env
}

// startCommand has a container run command, if that is what its arguments are.
// As with kf it is the only argument of the entrypoint, which the launcher of a
// buildpack gives to a shell; an image without an entrypoint has to have a shell
// itself.
func startCommand(k *runpb.Container, command string, img *rimage.Image) error {
	entrypoint := k.GetCommand()
	if len(entrypoint) == 0 {
		entrypoint = img.Config.Entrypoint
	}
	switch {
	case len(entrypoint) > 0:
	case command != "" && slices.Equal(k.GetArgs(), []string{command}):
		if len(img.Layers) > 0 && !img.Holds("bin/sh", "usr/bin/sh") {
			return wrongState("The command %q needs a shell, and the image has neither an entrypoint nor /bin/sh: push it with --entrypoint.", command)
		}
		k.Command = []string{"/bin/sh", "-c"}
	case len(k.GetArgs())+len(img.Config.Cmd) == 0:
		return errNoCommand()
	}
	return nil
}

// nameTask gives a task that nobody has named the name of its execution.
func nameTask(x *runpb.Execution) {
	if x.GetLabels()[contract.KfAppLabel] == "" || x.GetAnnotations()[contract.KfDisplayName] != "" {
		return
	}
	if x.Annotations == nil {
		x.Annotations = map[string]string{}
	}
	x.Annotations[contract.KfDisplayName] = split(x.GetName()).id()
}

// number gives the execution, if it is a task, the next number of its app.
func (l *launch) number(tx *store.Tx) error {
	id := l.execution.GetLabels()[contract.KfAppLabel]
	if id == "" {
		return nil
	}
	n := split(l.job.GetName()).sibling(id)
	app := getJob(tx, n.String())
	if app == nil {
		return notFound(n)
	}
	p := getPin(tx, n.String())
	p.Tasks++
	putPin(tx, app, p)
	l.execution.Labels[contract.KfTaskLabel] = strconv.Itoa(p.Tasks)
	return nil
}
