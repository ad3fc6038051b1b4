package v1

import (
	"maps"
	"strconv"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api"
)

// FormatWorkerPool is p in v1. What ParseWorkerPool reads of it is the worker
// pool again, without what only a server sets.
func FormatWorkerPool(p *runpb.WorkerPool, o Options) *WorkerPool {
	out := &WorkerPool{
		APIVersion: APIVersion, Kind: KindWorkerPool,
		Metadata: o.objectMeta(p, pluralWorkerPools, o.workerPoolAnnotations(p), texts{}),
		Spec:     WorkerPoolSpec{Template: workerPoolTemplate(p.GetTemplate()), InstanceSplits: splits(p.GetInstanceSplits())},
	}
	if !o.Export && p.GetUid() != "" {
		out.Status = workerPoolStatus(p)
	}
	return out
}

// workerPoolLabels are the labels that a server gives a worker pool.
func workerPoolLabels(*runpb.WorkerPool) texts { return texts{} }

// workerPoolAnnotations are the fields of p that v1 keeps in its annotations.
func (o Options) workerPoolAnnotations(p *runpb.WorkerPool) texts {
	a := texts{}
	a.header(p)
	a.set(descriptionKey, p.GetDescription())
	if s := p.GetScaling(); s != nil && s.ManualInstanceCount != nil {
		a[modeKey] = "manual"
		a[manualKey] = strconv.Itoa(int(s.GetManualInstanceCount()))
	}
	if o.Export {
		return a
	}
	a.set(clientNameKey, p.GetClient())
	a.set(clientVersionKey, p.GetClientVersion())
	a.set(servingCreatorKey, p.GetCreator())
	a.set(servingModifierKey, p.GetLastModifier())
	a.set(operationKey, o.operation)
	return a
}

// workerPoolTemplate is t in v1, nil if there is none.
func workerPoolTemplate(t *runpb.WorkerPoolRevisionTemplate) *WorkerPoolTemplate {
	if t == nil {
		return nil
	}
	labels, annotations := restored(t.GetLabels(), t.GetAnnotations())
	like := api.ServiceTemplate(t)
	maps.Copy(annotations, workerPoolRevisionAnnotations(like))
	spec := &WorkerPoolRevisionSpec{InstanceSpec: instanceSpec(like)}
	for _, c := range t.GetContainers() {
		spec.Containers = append(spec.Containers, WorkerPoolContainer{InstanceContainer: instanceContainer(c)})
	}
	return &WorkerPoolTemplate{
		Metadata: RevisionMeta{Name: shortName(t.GetRevision()), Labels: labels, Annotations: annotations},
		Spec:     spec,
	}
}

// workerPoolRevisionAnnotations are the fields of t, what a revision of a worker
// pool is made from, that v1 keeps in annotations. That it has its CPU all the
// time is not said.
func workerPoolRevisionAnnotations(t *runpb.RevisionTemplate) texts {
	a := revisionAnnotations(t)
	delete(a, throttlingKey)
	delete(a, unlikeThrottling)
	return a
}

// splits is how a worker pool wants its instances shared out.
func splits(all []*runpb.InstanceSplit) (out []InstanceSplit) {
	for _, s := range all {
		split := InstanceSplit{Percent: s.GetPercent(), RevisionName: shortName(s.GetRevision())}
		if s.GetType() != runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION {
			latest := true
			split.LatestRevision, split.RevisionName = &latest, ""
		}
		out = append(out, split)
	}
	return out
}

func workerPoolStatus(p *runpb.WorkerPool) *WorkerPoolStatus {
	all := append([]*runpb.Condition{p.GetTerminalCondition()}, p.GetConditions()...)
	s := &WorkerPoolStatus{
		ObservedGeneration:        p.GetObservedGeneration(),
		Conditions:                conditions(all, p.GetDeleteTime() != nil),
		LatestReadyRevisionName:   shortName(p.GetLatestReadyRevision()),
		LatestCreatedRevisionName: shortName(p.GetLatestCreatedRevision()),
	}
	// Unlike what is wanted, it names the revision also where that is the latest.
	for _, got := range p.GetInstanceSplitStatuses() {
		split := InstanceSplit{Percent: got.GetPercent(), RevisionName: shortName(got.GetRevision())}
		if got.GetType() != runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION {
			latest := true
			split.LatestRevision = &latest
			if split.RevisionName == "" {
				split.RevisionName = s.LatestReadyRevisionName
			}
		}
		s.InstanceSplits = append(s.InstanceSplits, split)
	}
	return s
}
