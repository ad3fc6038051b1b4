package control

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/api"
)

// RunJob creates an execution of a job, which is durable when it returns. The
// operation is done when the execution has ended: with an error if it failed.
// Overrides hold for this execution only.
func (c *Control) RunJob(ctx context.Context, r *runpb.RunJobRequest) (*runpb.Execution, *longrunningpb.Operation, error) {
	n, err := c.parseOne("name", r.GetName(), atJob)
	if err != nil {
		return nil, nil, err
	}
	job, err := c.runnable(n, r)
	if err != nil {
		return nil, nil, err
	}
	if r.GetValidateOnly() {
		l, err := c.newLaunch(job, "", caller(ctx))
		if err != nil {
			return nil, nil, err
		}
		x := c.show(l.execution, l.note)
		return x, validated(split(x.GetName()), x), nil
	}
	l, err := c.launchUnnamed(ctx, job, caller(ctx), (*launch).follow)
	if err != nil {
		return nil, nil, err
	}
	x := c.show(proto.CloneOf(l.execution), l.note)
	return x, l.op.message(x), nil
}

// runnable is the job n as a request, which may be nil, wants it run: a copy.
func (c *Control) runnable(n name, r *runpb.RunJobRequest) (*runpb.Job, error) {
	job, err := c.readJob(n)
	if err != nil {
		return nil, err
	}
	if job.GetDeleteTime() != nil {
		return nil, beingDeleted(n)
	}
	if err := checkEtag(n.String(), r.GetEtag(), job.GetUpdateTime().AsTime()); err != nil {
		return nil, err
	}
	return overridden(job, r.GetOverrides())
}

// maxTries is how often an execution is made where one name after the other is
// taken, or the job's image changes each time.
const maxTries = 5

// launchUnnamed creates an execution on behalf of creator, of a name that nobody
// has and with the image that the job means then. prepare is called for each
// try.
func (c *Control) launchUnnamed(ctx context.Context, job *runpb.Job, creator string, prepare func(*launch)) (*launch, error) {
	for tries := 1; ; tries++ {
		l, err := c.newLaunch(job, "", creator)
		if err != nil {
			return nil, err
		}
		prepare(l)
		if err = l.do(ctx); err == nil {
			return l, nil
		}
		if !isAlreadyExists(err) && !isAborted(err) || tries == maxTries {
			return nil, err
		}
	}
}

// overridden is a copy of job, changed for one execution.
func overridden(job *runpb.Job, o *runpb.RunJobRequest_Overrides) (*runpb.Job, error) {
	job = proto.CloneOf(job)
	if o == nil {
		return job, nil
	}
	if o.GetTaskCount() != 0 {
		job.Template.TaskCount = o.GetTaskCount()
		// What is more than there are tasks means all of them.
		job.Template.Parallelism = min(job.GetTemplate().GetParallelism(), max(o.GetTaskCount(), 0))
	}
	task := job.GetTemplate().GetTemplate()
	if o.GetTimeout() != nil {
		task.Timeout = o.GetTimeout()
	}
	if err := api.ValidateJob(job); err != nil {
		return nil, invalidResource(err, runRequest, overridePath)
	}
	for i, with := range o.GetContainerOverrides() {
		if err := overrideContainer(job, task.GetContainers()[0], i, with); err != nil {
			return nil, err
		}
	}
	return job, nil
}

// overrideContainer changes the job's only container, whatever name the
// override gives, by the i-th override.
func overrideContainer(job *runpb.Job, k *runpb.Container, i int, with *runpb.RunJobRequest_Overrides_ContainerOverride) error {
	at := "overrides.containerOverrides[" + strconv.Itoa(i) + "]"
	translate := func(path string) string { return strings.Replace(path, containerField, at, 1) }
	if with.GetClearArgs() && len(with.GetArgs()) > 0 {
		return invalid(runRequest, api.FieldErrors{{Path: at + ".clearArgs", Message: "args cannot be cleared and given at once: want one of the two"}})
	}
	// The override alone, in the container's place, so that indexes are its own.
	before := proto.CloneOf(k)
	k.Args, k.Env = with.GetArgs(), with.GetEnv()
	if err := api.ValidateJob(job); err != nil {
		return invalidResource(err, runRequest, translate)
	}
	if len(with.GetArgs()) == 0 && !with.GetClearArgs() {
		k.Args = before.GetArgs()
	}
	k.Env = mergeEnv(before.GetEnv(), with.GetEnv())
	if err := api.ValidateJob(job); err != nil { // too many together, at most
		return invalidResource(err, runRequest, translate)
	}
	return nil
}

// containerField is where a job's container stands, as api's errors name it.
const containerField = "template.template.containers[0]"

// mergeEnv is env with the variables of more: in the place of those of the same
// name, and behind all others.
func mergeEnv(env, more []*runpb.EnvVar) []*runpb.EnvVar {
	env = slices.Clone(env)
	for _, v := range more {
		i := slices.IndexFunc(env, func(old *runpb.EnvVar) bool { return old.GetName() == v.GetName() })
		if i < 0 {
			env = append(env, v)
		} else {
			env[i] = v
		}
	}
	return env
}

// overridePath turns the path of a job's field into that of the override that
// has changed it.
func overridePath(path string) string {
	switch path {
	case "template.taskCount":
		return "overrides.taskCount"
	case "template.template.timeout":
		return "overrides.timeout"
	}
	return "job." + path
}
