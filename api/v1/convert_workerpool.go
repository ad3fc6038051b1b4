package v1

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api"
)

// resource converts p to the common vocabulary. It checks only what gets lost
// on the way.
func (p *WorkerPool) resource() (*runpb.WorkerPool, error) {
	errs := p.Metadata.checkName("worker pool")
	pool := &runpb.WorkerPool{
		Name:        p.Metadata.Name,
		Labels:      p.Metadata.Labels,
		Annotations: p.Metadata.Annotations,
	}
	for i, s := range p.Spec.InstanceSplits {
		split, err := s.resource()
		if err != nil {
			errs = append(errs, api.FieldError{Path: indexed("spec.instanceSplits", i) + "." + err.Path, Message: err.Message})
		}
		pool.InstanceSplits = append(pool.InstanceSplits, split)
	}
	// It is read in the form of a service's, as it is written.
	var template *runpb.RevisionTemplate
	if t := p.Spec.Template; t != nil {
		template = &runpb.RevisionTemplate{
			Revision: t.Metadata.Name, Labels: t.Metadata.Labels, Annotations: t.Metadata.Annotations,
		}
		if t.Spec != nil {
			errs = append(errs, t.Spec.resource(template)...)
		}
	}
	errs = append(errs, liftWorkerPool(pool, template)...)
	pool.Labels, pool.Annotations = carried(pool.Labels, pool.Annotations)
	if template != nil {
		template.Labels, template.Annotations = carried(template.Labels, template.Annotations)
		pool.Template = api.WorkerPoolTemplate(template)
	}
	return pool, errs.Err()
}

// resource is s in v2.
func (s InstanceSplit) resource() (*runpb.InstanceSplit, *api.FieldError) {
	out := &runpb.InstanceSplit{
		Type:    runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST,
		Percent: s.Percent,
	}
	err := checkTarget(s.LatestRevision, s.RevisionName)
	if s.RevisionName != "" && err == nil {
		out.Type, out.Revision = runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, s.RevisionName
	}
	return out, err
}

// resource fills in the rest of t.
func (s *WorkerPoolRevisionSpec) resource(t *runpb.RevisionTemplate) api.FieldErrors {
	errs := s.InstanceSpec.resource(t)
	for i := range s.Containers {
		container, bad := s.Containers[i].resource(indexed(revisionPath+".containers", i))
		errs = append(errs, bad...)
		t.Containers = append(t.Containers, container)
	}
	return errs
}
