package control

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api"
)

// serviceOf is the service that a worker pool is in this package. The two share
// what they have in common. Types of splits and of targets have the same numbers.
func serviceOf(w *runpb.WorkerPool) *runpb.Service {
	s := &runpb.Service{
		Name:                  w.GetName(),
		Description:           w.GetDescription(),
		Uid:                   w.GetUid(),
		Generation:            w.GetGeneration(),
		Labels:                w.GetLabels(),
		Annotations:           w.GetAnnotations(),
		CreateTime:            w.GetCreateTime(),
		UpdateTime:            w.GetUpdateTime(),
		DeleteTime:            w.GetDeleteTime(),
		ExpireTime:            w.GetExpireTime(),
		Creator:               w.GetCreator(),
		LastModifier:          w.GetLastModifier(),
		Client:                w.GetClient(),
		ClientVersion:         w.GetClientVersion(),
		LaunchStage:           w.GetLaunchStage(),
		BinaryAuthorization:   w.GetBinaryAuthorization(),
		Template:              api.ServiceTemplate(w.GetTemplate()),
		Scaling:               &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL},
		ObservedGeneration:    w.GetObservedGeneration(),
		TerminalCondition:     w.GetTerminalCondition(),
		Conditions:            w.GetConditions(),
		LatestReadyRevision:   w.GetLatestReadyRevision(),
		LatestCreatedRevision: w.GetLatestCreatedRevision(),
		Reconciling:           w.GetReconciling(),
	}
	if scaling := w.GetScaling(); scaling != nil {
		s.Scaling.ManualInstanceCount = scaling.ManualInstanceCount
	}
	for _, x := range w.GetInstanceSplits() {
		s.Traffic = append(s.Traffic, &runpb.TrafficTarget{Type: runpb.TrafficTargetAllocationType(x.GetType()), Revision: x.GetRevision(), Percent: x.GetPercent()})
	}
	for _, x := range w.GetInstanceSplitStatuses() {
		s.TrafficStatuses = append(s.TrafficStatuses, &runpb.TrafficTargetStatus{Type: runpb.TrafficTargetAllocationType(x.GetType()), Revision: x.GetRevision(), Percent: x.GetPercent()})
	}
	return s
}

// poolOf is the worker pool that a service in this package is. The two share what
// they have in common.
func poolOf(s *runpb.Service) *runpb.WorkerPool {
	w := &runpb.WorkerPool{
		Name:                  s.GetName(),
		Description:           s.GetDescription(),
		Uid:                   s.GetUid(),
		Generation:            s.GetGeneration(),
		Labels:                s.GetLabels(),
		Annotations:           s.GetAnnotations(),
		CreateTime:            s.GetCreateTime(),
		UpdateTime:            s.GetUpdateTime(),
		DeleteTime:            s.GetDeleteTime(),
		ExpireTime:            s.GetExpireTime(),
		Creator:               s.GetCreator(),
		LastModifier:          s.GetLastModifier(),
		Client:                s.GetClient(),
		ClientVersion:         s.GetClientVersion(),
		LaunchStage:           s.GetLaunchStage(),
		BinaryAuthorization:   s.GetBinaryAuthorization(),
		Template:              api.WorkerPoolTemplate(s.GetTemplate()),
		ObservedGeneration:    s.GetObservedGeneration(),
		TerminalCondition:     s.GetTerminalCondition(),
		Conditions:            s.GetConditions(),
		LatestReadyRevision:   s.GetLatestReadyRevision(),
		LatestCreatedRevision: s.GetLatestCreatedRevision(),
		Reconciling:           s.GetReconciling(),
	}
	if scaling := s.GetScaling(); scaling != nil {
		w.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: scaling.ManualInstanceCount}
	}
	for _, x := range s.GetTraffic() {
		w.InstanceSplits = append(w.InstanceSplits, &runpb.InstanceSplit{Type: runpb.InstanceSplitAllocationType(x.GetType()), Revision: x.GetRevision(), Percent: x.GetPercent()})
	}
	for _, x := range s.GetTrafficStatuses() {
		w.InstanceSplitStatuses = append(w.InstanceSplitStatuses, &runpb.InstanceSplitStatus{Type: runpb.InstanceSplitAllocationType(x.GetType()), Revision: x.GetRevision(), Percent: x.GetPercent()})
	}
	return w
}
