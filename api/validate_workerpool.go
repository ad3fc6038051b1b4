package api

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// ValidateWorkerPool reports everything that keeps pool from running as it says,
// as FieldErrors, or nil. What is unset and has a default is fine; so is an empty
// name, which may still be given from elsewhere.
//
// A worker pool gets no requests: its containers have no ports, and nothing that
// only makes sense for requests. Refused is also what ValidateService refuses of a
// template; settings without a meaning on one host are accepted as there.
func ValidateWorkerPool(pool *runpb.WorkerPool) error {
	c := &checker{}
	name := c.ownerName("name", pool.GetName(), "workerPools", "a worker pool")
	c.header(pool)
	c.poolScaling("scaling", pool.GetScaling())
	c.instanceSplits("instanceSplits", name, pool.GetInstanceSplits())
	t := pool.GetTemplate()
	if t == nil {
		c.add("template", "is missing: want the template of the worker pool's revisions")
		return c.errs.Err()
	}
	c.anyTemplate("template", name, t)
	for i, k := range t.GetContainers() {
		c.worker(index("template.containers", i), k)
	}
	return c.errs.Err()
}

// worker checks what a container of a worker pool must not have, and its probes,
// which have to name their ports.
func (c *checker) worker(path string, k *runpb.Container) {
	if len(k.GetPorts()) > 0 {
		c.add(path+".ports", "a worker pool gets no requests, so its containers have no ports")
	}
	if k.GetReadinessProbe() != nil {
		c.add(path+".readinessProbe", "a worker pool gets no requests to keep away: want a startupProbe or a livenessProbe")
	}
	if k.GetResources().GetCpuIdle() {
		c.add(path+".resources.cpuIdle", "a worker pool gets no requests to be idle between: leave it out, its CPU is always there")
	}
	c.probe(path+".startupProbe", startupProbe, k.GetStartupProbe(), true)
	c.probe(path+".livenessProbe", livenessProbe, k.GetLivenessProbe(), true)
}

// instanceSplits checks how instances are shared. Whether the revisions exist is
// not known here.
func (c *checker) instanceSplits(path, pool string, splits []*runpb.InstanceSplit) {
	if len(splits) == 0 {
		return
	}
	sum := int64(0)
	for i, s := range splits {
		at := index(path, i)
		c.split(at, pool, s)
		if p := s.GetPercent(); p < 0 || p > 100 {
			c.add(at+".percent", "%d is not a share: want 0 to 100", p)
		}
		sum += int64(s.GetPercent())
	}
	if sum != 100 {
		c.add(path, "the percentages sum to %d: want 100", sum)
	}
}

// split checks which revision a share of the instances is for.
func (c *checker) split(path, pool string, s *runpb.InstanceSplit) {
	switch s.GetType() {
	case runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_UNSPECIFIED:
	case runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST:
		if s.GetRevision() != "" {
			c.add(path+".revision", "%q cannot be named where the latest one is meant: leave it out, or set type to INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION", s.GetRevision())
		}
		return
	case runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION:
		if s.GetRevision() == "" {
			c.add(path+".revision", "is missing: want the name of a revision")
		}
	default:
		c.add(path+".type", "%d is no type of split", s.GetType())
	}
	if s.GetRevision() != "" && pool != "" {
		c.check(path+".revision", contract.CheckRevisionName(pool, s.GetRevision()))
	}
}
