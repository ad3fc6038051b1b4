package control

import (
	"cloud.google.com/go/run/apiv2/runpb"
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
		CustomAudiences:       w.GetCustomAudiences(),
		Template:              serviceTemplate(w.GetTemplate()),
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
		CustomAudiences:       s.GetCustomAudiences(),
		Template:              poolTemplate(s.GetTemplate()),
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

// serviceTemplate is the template of a service's revisions that one of a worker
// pool's is; nil if that is.
func serviceTemplate(t *runpb.WorkerPoolRevisionTemplate) *runpb.RevisionTemplate {
	if t == nil {
		return nil
	}
	return &runpb.RevisionTemplate{
		Revision:                      t.GetRevision(),
		Labels:                        t.GetLabels(),
		Annotations:                   t.GetAnnotations(),
		VpcAccess:                     t.GetVpcAccess(),
		ServiceAccount:                t.GetServiceAccount(),
		Containers:                    t.GetContainers(),
		Volumes:                       t.GetVolumes(),
		EncryptionKey:                 t.GetEncryptionKey(),
		ServiceMesh:                   t.GetServiceMesh(),
		EncryptionKeyRevocationAction: t.GetEncryptionKeyRevocationAction(),
		EncryptionKeyShutdownDuration: t.GetEncryptionKeyShutdownDuration(),
		NodeSelector:                  t.GetNodeSelector(),
		GpuZonalRedundancyDisabled:    t.GpuZonalRedundancyDisabled,
	}
}

// poolTemplate is serviceTemplate the other way round.
func poolTemplate(t *runpb.RevisionTemplate) *runpb.WorkerPoolRevisionTemplate {
	if t == nil {
		return nil
	}
	return &runpb.WorkerPoolRevisionTemplate{
		Revision:                      t.GetRevision(),
		Labels:                        t.GetLabels(),
		Annotations:                   t.GetAnnotations(),
		VpcAccess:                     t.GetVpcAccess(),
		ServiceAccount:                t.GetServiceAccount(),
		Containers:                    t.GetContainers(),
		Volumes:                       t.GetVolumes(),
		EncryptionKey:                 t.GetEncryptionKey(),
		ServiceMesh:                   t.GetServiceMesh(),
		EncryptionKeyRevocationAction: t.GetEncryptionKeyRevocationAction(),
		EncryptionKeyShutdownDuration: t.GetEncryptionKeyShutdownDuration(),
		NodeSelector:                  t.GetNodeSelector(),
		GpuZonalRedundancyDisabled:    t.GpuZonalRedundancyDisabled,
	}
}
