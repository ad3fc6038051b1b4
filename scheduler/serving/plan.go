package serving

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/metadata"
	rruntime "runnel/runtime"
	"runnel/scheduler"
)

// hostname is what uname answers in every instance, as on Cloud Run.
const hostname = "localhost"

// plan is what a revision comes to: every setting resolved. It does not change
// any more.
type plan struct {
	// name is the full name, revision and owner the short ones: the owner is a
	// service or a worker pool.
	name, revision, owner, uid string
	// spec is what all instances have in common; instance fills in the rest.
	spec       rruntime.Spec
	containers []container
	// ingress is the place of the container that takes requests, by HTTP/2
	// without TLS if h2c; nowhere if none does. port is where it takes them, and
	// what probes ask that name no port.
	ingress int
	port    int
	h2c     bool

	concurrency int
	timeout     time.Duration
	affinity    bool
	// throttled instances have CPU only while they start, stop or have a request.
	throttled bool
	// full and boosted are the CPU of each container; boosted is nil where
	// starts are not helped.
	full, boosted []contract.MilliCPU
	// need is what one instance takes from the budget: memory, which nobody can
	// share. CPU is shared by weight when there is not enough, and most instances
	// want none most of the time; cpu is what they may use.
	need scheduler.Resources
	cpu  contract.MilliCPU
}

// container is what there is to know of a container beside its Spec.
type container struct {
	name string
	// after are the places of those that have to be up before it starts.
	after []int
	// startup is nil where nobody waits for it to be up, the others where nobody
	// looks.
	startup, liveness, readiness *prober
	// steady is how long it has to run before it counts as well, where nothing
	// else tells.
	steady time.Duration
}

// newPlan reads rev, which has been validated.
func newPlan(c *Config, rev *runpb.Revision, images []*rimage.Image) (*plan, error) {
	p := &plan{
		name:     rev.GetName(),
		revision: path.Base(rev.GetName()),
		uid:      bare(rev.GetUid()),
		timeout:  cmp.Or(rev.GetTimeout().AsDuration(), contract.DefaultRequestTimeout),
		affinity: rev.GetSessionAffinity(),
	}
	if n := len(rev.GetContainers()); n == 0 || n > contract.MaxContainers || n != len(images) {
		return nil, fmt.Errorf("%d containers with %d images: want as many of both, at most %d", n, len(images), contract.MaxContainers)
	}
	if err := p.locate(c, rev); err != nil {
		return nil, err
	}
	p.choose(rev)
	for n, container := range rev.GetContainers() {
		called := contract.ContainerName(container.GetName(), container.GetImage(), n, len(images))
		if err := p.contain(c, n, called, container, images[n]); err != nil {
			return nil, fmt.Errorf("container %s: %w", called, err)
		}
	}
	p.concurrency = int(rev.GetMaxInstanceRequestConcurrency())
	if p.concurrency <= 0 && p.serves() {
		p.concurrency = defaultConcurrency(p.full[p.ingress])
	}
	if err := p.volumes(rev); err != nil {
		return nil, err
	}
	if err := p.order(rev); err != nil {
		return nil, err
	}
	return p, p.instance(newInstanceID(p)).Identity.Validate()
}

// defaultConcurrency is what an instance takes at a time where nobody says.
func defaultConcurrency(cpu contract.MilliCPU) int {
	if cpu < 1000 {
		return 1
	}
	return contract.DefaultConcurrency
}

// locate reads from the revision's name whose it is and where its instances run.
func (p *plan) locate(c *Config, rev *runpb.Revision) error {
	parts := strings.Split(p.name, "/")
	if len(parts) != 8 || parts[0] != "projects" || parts[2] != "locations" || parts[6] != "revisions" {
		return fmt.Errorf("%q: not a full resource name of a revision", p.name)
	}
	project, region := parts[1], parts[3]
	p.owner = parts[5]
	switch parts[4] {
	case "services":
	case "workerPools":
		p.ingress = nowhere
	default:
		return fmt.Errorf("%q: a revision is one of a service or a worker pool", p.name)
	}
	p.spec.Hostname = hostname
	p.spec.Identity = metadata.Identity{
		ProjectID: project, ProjectNumber: c.ProjectNumber(project), Region: region,
		ServiceAccount: rev.GetServiceAccount(),
	}
	return nil
}

// choose finds the container that takes requests: the one with a port, or the
// first.
func (p *plan) choose(rev *runpb.Revision) {
	p.port = contract.DefaultPort
	if !p.serves() {
		return
	}
	for n, c := range rev.GetContainers() {
		if len(c.GetPorts()) == 0 {
			continue
		}
		port := c.GetPorts()[0]
		p.ingress, p.h2c = n, port.GetName() == "h2c"
		p.port = cmp.Or(int(port.GetContainerPort()), contract.DefaultPort)
		break
	}
	resources := rev.GetContainers()[p.ingress].GetResources()
	p.throttled = resources == nil || resources.GetCpuIdle()
}

// contain takes in the container at place n, and what logs call it.
func (p *plan) contain(c *Config, n int, called string, from *runpb.Container, img *rimage.Image) error {
	need, err := scheduler.Needs(from.GetResources().GetLimits())
	if err != nil {
		return err
	}
	env, err := scheduler.Environ(from.GetEnv())
	if err != nil {
		return err
	}
	mounts := make([]rruntime.Mount, 0, len(from.GetVolumeMounts()))
	for _, m := range from.GetVolumeMounts() {
		mounts = append(mounts, rruntime.Mount{Volume: m.GetName(), Path: path.Clean(m.GetMountPath()), SubPath: m.GetSubPath()})
	}
	p.need.Memory += need.Memory
	p.cpu += need.CPU
	p.full = append(p.full, need.CPU)
	p.boost(need.CPU, from.GetResources().GetStartupCpuBoost())
	p.spec.Containers = append(p.spec.Containers, rruntime.Container{
		Name: from.GetName(), Image: img, Command: from.GetCommand(), Args: from.GetArgs(),
		Env: slices.Concat(env, p.environ(n)), WorkingDir: from.GetWorkingDir(),
		Limits: cgroups.Limits{CPU: need.CPU, Memory: need.Memory, PIDs: c.PIDs},
		Mounts: mounts,
	})
	p.containers = append(p.containers, p.probes(n, called, from))
	return nil
}

// environ are the variables that container n has of the platform.
func (p *plan) environ(n int) []string {
	if !p.serves() {
		return contract.WorkerPoolEnv{WorkerPool: p.owner, Revision: p.revision}.Environ()
	}
	env := contract.ServiceEnv{Service: p.owner, Revision: p.revision, Timeout: p.timeout}
	if n == p.ingress {
		env.Port = p.port
	}
	return env.Environ()
}

// boost takes in the CPU that the last container has while the instance starts:
// more than cpu if it is helped.
func (p *plan) boost(cpu contract.MilliCPU, helped bool) {
	if helped {
		cpu = contract.BoostCPU(cpu)
		if p.boosted == nil {
			p.boosted = slices.Clone(p.full[:len(p.full)-1])
		}
	}
	if p.boosted != nil {
		p.boosted = append(p.boosted, cpu)
	}
}

// volumes takes in the revision's.
func (p *plan) volumes(rev *runpb.Revision) error {
	for _, v := range rev.GetVolumes() {
		dir := v.GetEmptyDir()
		if dir == nil {
			return fmt.Errorf("volume %s: only volumes in memory are supported", v.GetName())
		}
		size := p.need.Memory / 2
		if s := dir.GetSizeLimit(); s != "" {
			var err error
			if size, err = contract.ParseBytes(s); err != nil {
				return fmt.Errorf("volume %s: size limit: %w", v.GetName(), err)
			}
		}
		p.spec.Volumes = append(p.spec.Volumes, rruntime.Volume{Name: v.GetName(), Size: size})
	}
	return nil
}

// ownerName is the full name of the revision's service or worker pool.
func (p *plan) ownerName() string {
	name, _, _ := strings.Cut(p.name, "/revisions/")
	return name
}

// instance is the spec of the instance with that ID: always the same, in
// whatever process.
func (p *plan) instance(id string) rruntime.Spec {
	spec := p.spec
	spec.ID = id
	spec.Identity.InstanceID = PublicID(p.uid, id)
	return spec
}

// PublicID is what an instance of the revision with that UID is told to be, and
// what its logs call it: always the same.
func PublicID(uid, instance string) string { return scheduler.PublicID(bare(uid), instance) }

// bare is a UID without hyphens.
func bare(uid string) string { return strings.ReplaceAll(uid, "-", "") }

// ContainerID is what the container at a place of an instance is called, which
// names its log.
func ContainerID(instance string, n int) string { return rruntime.ContainerID(instance, n) }

const (
	// maxInstanceID leaves room for the names of an instance's containers in a
	// DNS label.
	maxInstanceID = 60
	// uidDigits of the revision's UID tell its instances from all others,
	// randomDigits from each other.
	uidDigits    = 12
	randomDigits = 10
)

// newInstanceID draws the ID of an instance: a DNS label.
func newInstanceID(p *plan) string {
	tail := "-" + p.uid[:min(len(p.uid), uidDigits)] + "-" + strings.ToLower(rand.Text()[:randomDigits])
	name := p.owner[:min(len(p.owner), maxInstanceID-len(tail))]
	return strings.TrimRight(name, "-") + tail
}
