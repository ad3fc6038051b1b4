package api

import (
	"cloud.google.com/go/run/apiv2/runpb"
	gapi "google.golang.org/genproto/googleapis/api"

	"runnel/contract"
)

// DefaultWorkerPool fills in what pool leaves unset, as Cloud Run does when it
// stores one. What is set stays as it was written, whether valid or not. There is
// no default probe: without a port, nothing can be knocked at.
// Source: run.v2 protos; "Deploy worker pools"; gcloud run worker-pools deploy.
func DefaultWorkerPool(pool *runpb.WorkerPool) {
	if pool.LaunchStage == gapi.LaunchStage_LAUNCH_STAGE_UNSPECIFIED {
		pool.LaunchStage = gapi.LaunchStage_GA
	}
	if pool.Template == nil {
		pool.Template = &runpb.WorkerPoolRevisionTemplate{}
	}
	for _, k := range pool.Template.Containers {
		defaultLimits(k)
		defaultProbes(k)
	}
	if pool.Scaling == nil {
		pool.Scaling = &runpb.WorkerPoolScaling{}
	}
	if pool.Scaling.ManualInstanceCount == nil {
		n := int32(contract.DefaultPoolInstances)
		pool.Scaling.ManualInstanceCount = &n
	}
	if len(pool.InstanceSplits) == 0 {
		pool.InstanceSplits = []*runpb.InstanceSplit{{
			Type:    runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST,
			Percent: 100,
		}}
	}
	for _, s := range pool.InstanceSplits {
		if s.GetType() == runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_UNSPECIFIED {
			s.Type = runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST
			if s.GetRevision() != "" {
				s.Type = runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION
			}
		}
	}
}
