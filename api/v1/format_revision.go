package v1

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
)

// FormatRevision is r in v1. Options.Export leaves out r's status as well.
func FormatRevision(r *runpb.Revision, o Options) *Revision {
	t := templateOf(r)
	annotations := revisionAnnotations(t)
	if split(r.GetName()).pool != "" {
		annotations = workerPoolRevisionAnnotations(t)
	}
	if !o.Export {
		annotations.set(servingCreatorKey, r.GetCreator())
	}
	labels := revisionLabels(r)
	out := &Revision{
		APIVersion: ServingVersion, Kind: KindRevision,
		Metadata: o.objectMeta(r, pluralRevisions, annotations, labels),
		Spec:     *revisionSpec(t),
	}
	if !o.Export {
		out.Status = revisionStatus(r)
	}
	return out
}

// templateOf is what r was made from.
func templateOf(r *runpb.Revision) *runpb.RevisionTemplate {
	return &runpb.RevisionTemplate{
		Scaling:                       r.GetScaling(),
		VpcAccess:                     r.GetVpcAccess(),
		Timeout:                       r.GetTimeout(),
		ServiceAccount:                r.GetServiceAccount(),
		Containers:                    r.GetContainers(),
		Volumes:                       r.GetVolumes(),
		ExecutionEnvironment:          r.GetExecutionEnvironment(),
		EncryptionKey:                 r.GetEncryptionKey(),
		MaxInstanceRequestConcurrency: r.GetMaxInstanceRequestConcurrency(),
		ServiceMesh:                   r.GetServiceMesh(),
		EncryptionKeyRevocationAction: r.GetEncryptionKeyRevocationAction(),
		EncryptionKeyShutdownDuration: r.GetEncryptionKeyShutdownDuration(),
		SessionAffinity:               r.GetSessionAffinity(),
		NodeSelector:                  r.GetNodeSelector(),
		GpuZonalRedundancyDisabled:    r.GpuZonalRedundancyDisabled,
	}
}

// Labels that a server gives a revision.
const (
	serviceKey       = "serving.knative.dev/service"
	configurationKey = "serving.knative.dev/configuration"
	generationKey    = "serving.knative.dev/configurationGeneration"
	routeKey         = "serving.knative.dev/route"
	serviceUIDKey    = "serving.knative.dev/serviceUid"
	workerPoolKey    = domain + "workerPool"
)

// revisionLabels are the labels that a server gives a revision.
func revisionLabels(r *runpb.Revision) texts {
	name, labels := split(r.GetName()), texts{}
	labels.set(serviceKey, name.service)
	labels.set(configurationKey, name.service)
	labels.set(routeKey, name.service)
	labels.set(generationKey, generationIn(name))
	labels.set(workerPoolKey, name.pool)
	if hasDefaultProbe(templateOf(r)) {
		labels[probeTypeKey] = probeTypeDefault
	}
	return labels
}

// generationIn is the service's generation that a revision's name carries, if
// it was not named by somebody else.
func generationIn(name resource) string {
	if name.service == "" {
		return ""
	}
	rest, ok := strings.CutPrefix(name.name, name.service+"-")
	digits, _, named := strings.Cut(rest, "-")
	if !ok || !named || len(digits) < 5 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return strings.TrimLeft(digits, "0")
}

func revisionStatus(r *runpb.Revision) *RevisionStatus {
	s := &RevisionStatus{
		ObservedGeneration: r.GetObservedGeneration(),
		Conditions:         conditions(r.GetConditions(), r.GetDeleteTime() != nil),
		ServiceName:        split(r.GetName()).service,
		LogURL:             r.GetLogUri(),
		DesiredReplicas:    r.GetScalingStatus().GetDesiredMinInstanceCount(),
	}
	for _, c := range r.GetContainers() {
		if pinned(c.GetImage()) {
			s.ContainerStatuses = append(s.ContainerStatuses, ContainerStatus{Name: c.GetName(), ImageDigest: c.GetImage()})
		}
	}
	if c := ingressContainer(r.GetContainers()); pinned(c.GetImage()) {
		s.ImageDigest = c.GetImage()
	}
	return s
}

// pinned reports whether a reference names an image by its digest.
func pinned(image string) bool { return strings.Contains(image, "@sha256:") }
