package scheduler

import (
	"fmt"
	"path"
	"slices"
	"strings"
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

// plan is what an execution comes to: every setting resolved. It does not
// change any more.
type plan struct {
	// x is the resource as it was submitted, the plan's own copy.
	x *runpb.Execution
	// identity is as much of x as a Journal is told with each task.
	identity *runpb.Execution
	// job and name are the short names of the job and of the execution.
	job, name string
	created   time.Time

	tasks, parallelism, maxRetries int
	// timeout bounds each attempt, unless they are endless.
	timeout time.Duration
	endless bool

	// need is what one instance takes from the budget, and spec what all
	// instances have in common; attempt fills in the rest. Only describe sets
	// them: what is merely shown does without.
	need Resources
	spec rruntime.Spec
}

// newPlan reads x, which NewExecution has made. It needs nothing else, and so
// gives the same for one that ended long ago.
func newPlan(x *runpb.Execution) *plan {
	x = proto.CloneOf(x)
	p := &plan{
		x:           x,
		identity:    &runpb.Execution{Name: x.GetName(), Uid: x.GetUid()},
		job:         path.Base(x.GetJob()),
		name:        path.Base(x.GetName()),
		created:     x.GetCreateTime().AsTime(),
		tasks:       max(int(x.GetTaskCount()), contract.MinTasks),
		maxRetries:  contract.DefaultRetries,
		timeout:     contract.DefaultTaskTimeout,
		parallelism: 0,
	}
	p.parallelism = Parallelism(int(x.GetParallelism()), p.tasks)
	if x.GetTemplate().GetRetries() != nil {
		p.maxRetries = int(x.GetTemplate().GetMaxRetries())
	}
	if d := x.GetTemplate().GetTimeout().AsDuration(); d > 0 {
		p.timeout = d
	}
	p.endless = contract.KfEndless(x.GetLabels()[contract.KfAppLabel], p.timeout)
	return p
}

// describe fills in what the plan's instances are and need.
func (p *plan) describe(c *Config, img *rimage.Image) error {
	template := p.x.GetTemplate()
	if n := len(template.GetContainers()); n != 1 {
		return fmt.Errorf("%d containers: want one", n)
	}
	container := template.GetContainers()[0]
	var err error
	if p.need, err = Needs(container.GetResources().GetLimits()); err != nil {
		return err
	}
	env, err := Environ(container.GetEnv())
	if err != nil {
		return err
	}
	p.spec = rruntime.Spec{
		Hostname: hostname,
		Containers: []rruntime.Container{{
			Name:       container.GetName(),
			Image:      img,
			Command:    container.GetCommand(),
			Args:       container.GetArgs(),
			Env:        env,
			WorkingDir: container.GetWorkingDir(),
			Limits:     cgroups.Limits{CPU: p.need.CPU, Memory: p.need.Memory, PIDs: c.PIDs},
		}},
		Identity: metadata.Identity{ServiceAccount: template.GetServiceAccount()},
	}
	if err := p.locate(c); err != nil {
		return err
	}
	return p.attempt(0, 0).Identity.Validate()
}

// locate reads from the execution's name where its instances run.
func (p *plan) locate(c *Config) error {
	name, full := strings.CutPrefix(p.x.GetName(), "projects/")
	project, name, located := strings.Cut(name, "/locations/")
	region, _, ofJob := strings.Cut(name, "/jobs/")
	if !full || !located || !ofJob {
		return fmt.Errorf("%q: not a full resource name of an execution", p.x.GetName())
	}
	id := &p.spec.Identity
	id.ProjectID, id.Region = project, region
	id.ProjectNumber = c.ProjectNumber(id.ProjectID)
	return nil
}

// attempt is the spec of one attempt of the task at index: always the same, in
// whatever process. The platform's variables come last and so win over the
// job's, as these win over the image's.
func (p *plan) attempt(index, attempt int) rruntime.Spec {
	spec := p.spec
	spec.ID = InstanceID(p.identity, index, attempt)
	spec.Identity.InstanceID = PublicID(p.x.GetUid(), spec.ID)
	task := contract.TaskEnv{Job: p.job, Execution: p.name, Index: index, Attempt: attempt, Count: p.tasks}
	main := spec.Containers[0]
	if app := p.x.GetLabels()[contract.KfAppLabel]; app != "" {
		main.Env = slices.Concat(main.Env, p.kf(app, spec.ID).Environ())
		main.AddressEnv = contract.KfAddressEnv()
	}
	main.Env = slices.Concat(main.Env, task.Environ())
	spec.Containers = []rruntime.Container{main}
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
