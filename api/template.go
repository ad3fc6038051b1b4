package api

import "cloud.google.com/go/run/apiv2/runpb"

// A worker pool's template has some of the fields of a service's. Whoever treats
// both alike does so in the form of the latter.

// ServiceTemplate is a worker pool's template as that of a service; nil if t is.
// The two share what they have in common.
func ServiceTemplate(t *runpb.WorkerPoolRevisionTemplate) *runpb.RevisionTemplate {
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

// WorkerPoolTemplate is ServiceTemplate the other way round: what a worker pool
// can have of t.
func WorkerPoolTemplate(t *runpb.RevisionTemplate) *runpb.WorkerPoolRevisionTemplate {
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
