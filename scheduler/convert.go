package scheduler

import (
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/metadata"
	rruntime "runnel/runtime"
)

// hostname is what uname answers in every instance, as on Cloud Run. It
// resolves everywhere, and tells nothing of the host.
const hostname = "localhost"

// plan is what an execution of a job comes to: every setting resolved. It does
// not change any more.
type plan struct {
	// path is the full resource name of the execution, job and name are the
	// short ones of both.
	path, job, name, uid string
	created              time.Time

	tasks, parallelism, maxRetries int
	// timeout bounds each attempt.
	timeout time.Duration
	// need is what one instance takes from the budget.
	need Resources
	// spec is what all instances have in common; attempt fills in the rest.
	spec rruntime.Spec
	// template and the two maps are the plan's own copies.
	template            *runpb.TaskTemplate
	labels, annotations map[string]string
}

// newPlan reads job, which has been validated, for an execution called name.
// What the job leaves unset gets its default.
func newPlan(c *Config, job *runpb.Job, img *rimage.Image, name string) (*plan, error) {
	full, short := jobPath(job.GetName(), c.ProjectID, c.Region)
	template := proto.CloneOf(job.GetTemplate())
	if n := len(template.GetTemplate().GetContainers()); n != 1 {
		return nil, fmt.Errorf("job %s: %d containers: want one", short, n)
	}
	p := &plan{
		path:        full + "/executions/" + name,
		job:         short,
		name:        name,
		uid:         newUID(),
		created:     time.Now(),
		tasks:       max(int(template.GetTaskCount()), contract.MinTasks),
		maxRetries:  contract.DefaultRetries,
		timeout:     contract.DefaultTaskTimeout,
		template:    template.GetTemplate(),
		labels:      template.GetLabels(),
		annotations: template.GetAnnotations(),
	}
	p.parallelism = Parallelism(int(template.GetParallelism()), p.tasks)
	if p.template.GetRetries() != nil {
		p.maxRetries = int(p.template.GetMaxRetries())
	}
	if d := p.template.GetTimeout().AsDuration(); d > 0 {
		p.timeout = d
	}
	if err := p.describe(c, img); err != nil {
		return nil, fmt.Errorf("job %s: %w", short, err)
	}
	return p, nil
}

// describe fills in what the plan's instances are and need.
func (p *plan) describe(c *Config, img *rimage.Image) (err error) {
	container := p.template.GetContainers()[0]
	if p.need, err = needs(container.GetResources().GetLimits()); err != nil {
		return err
	}
	env, err := environ(container.GetEnv())
	if err != nil {
		return err
	}
	account := p.template.GetServiceAccount()
	if account == "" {
		account = c.ServiceAccount
	}
	p.spec = rruntime.Spec{
		Hostname:   hostname,
		Image:      img,
		Command:    container.GetCommand(),
		Args:       container.GetArgs(),
		Env:        env,
		WorkingDir: container.GetWorkingDir(),
		Limits:     cgroups.Limits{CPU: p.need.CPU, Memory: p.need.Memory, PIDs: c.PIDs},
		Identity: metadata.Identity{
			ProjectID:      c.ProjectID,
			ProjectNumber:  c.ProjectNumber,
			Region:         c.Region,
			ServiceAccount: account,
		},
	}
	return p.attempt(0, 0).Identity.Validate()
}

// attempt is the spec of one attempt of the task at index. The platform's
// variables come last and so win over the job's, as these win over the image's.
func (p *plan) attempt(index, attempt int) rruntime.Spec {
	spec := p.spec
	spec.ID = instanceName(p.name, index, attempt)
	spec.Identity.InstanceID = metadata.NewInstanceID()
	task := contract.TaskEnv{Job: p.job, Execution: p.name, Index: index, Attempt: attempt, Count: p.tasks}
	spec.Env = append(slices.Clip(spec.Env), task.Environ()...)
	return spec
}

// Parallelism is how many of an execution's tasks may run at once, as far as
// its job has a say: requested, and 0 for all of them.
// Source: "Set parallelism".
func Parallelism(requested, tasks int) int {
	if requested <= 0 {
		return tasks
	}
	return min(requested, tasks)
}

// environ is a container's own variables as NAME=value, each name once: the
// last of several wins, in the place of the first.
func environ(vars []*runpb.EnvVar) ([]string, error) {
	place := make(map[string]int, len(vars))
	env := make([]string, 0, len(vars))
	for _, v := range vars {
		if v.GetValueSource() != nil {
			return nil, fmt.Errorf("environment variable %s: values from secrets are not supported", v.GetName())
		}
		entry := v.GetName() + "=" + v.GetValue()
		if i, ok := place[v.GetName()]; ok {
			env[i] = entry
			continue
		}
		place[v.GetName()] = len(env)
		env = append(env, entry)
	}
	return env, nil
}

// needs reads a container's limits.
func needs(limits map[string]string) (Resources, error) {
	need := Resources{CPU: contract.DefaultCPU, Memory: contract.DefaultMemory}
	var err error
	if s := limits["cpu"]; s != "" {
		if need.CPU, err = contract.ParseCPU(s); err != nil {
			return need, fmt.Errorf("cpu limit: %w", err)
		}
	}
	if s := limits["memory"]; s != "" {
		if need.Memory, err = contract.ParseBytes(s); err != nil {
			return need, fmt.Errorf("memory limit: %w", err)
		}
	}
	return need, nil
}
