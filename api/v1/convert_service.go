package v1

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
)

const revisionPath = "spec.template.spec"

// resource converts s to the common vocabulary. It checks only what gets lost
// on the way.
func (s *Service) resource() (*runpb.Service, error) {
	errs := s.Metadata.checkName("service")
	service := &runpb.Service{
		Name:        s.Metadata.Name,
		Labels:      s.Metadata.Labels,
		Annotations: s.Metadata.Annotations,
	}
	for i, t := range s.Spec.Traffic {
		target, err := t.resource()
		if err != nil {
			errs = append(errs, api.FieldError{Path: indexed("spec.traffic", i) + "." + err.Path, Message: err.Message})
		}
		service.Traffic = append(service.Traffic, target)
	}
	if t := s.Spec.Template; t != nil {
		service.Template = &runpb.RevisionTemplate{
			Revision: t.Metadata.Name, Labels: t.Metadata.Labels, Annotations: t.Metadata.Annotations,
		}
		if t.Spec != nil {
			errs = append(errs, t.Spec.resource(service.Template)...)
		}
		dropDefaultProbe(service.Template)
	}
	errs = append(errs, liftService(service)...)
	service.Labels, service.Annotations = carried(service.Labels, service.Annotations)
	if t := service.Template; t != nil {
		t.Labels, t.Annotations = carried(t.Labels, t.Annotations)
	}
	return service, errs.Err()
}

// checkName says what is wrong with the name of an object of a kind.
func (m *ObjectMeta) checkName(kind string) api.FieldErrors {
	switch {
	case m.Name == "" && m.GenerateName != "":
		return api.FieldErrors{{Path: "metadata.generateName", Message: "cannot be completed here: want metadata.name"}}
	case m.Name == "":
		return api.FieldErrors{{Path: "metadata.name", Message: "is missing: want the " + kind + "'s name"}}
	case strings.Contains(m.Name, "/"):
		return api.FieldErrors{{Path: "metadata.name", Message: "holds a slash: want the " + kind + "'s name alone"}}
	}
	return nil
}

// resource is t in v2.
func (t TrafficTarget) resource() (*runpb.TrafficTarget, *api.FieldError) {
	out := &runpb.TrafficTarget{
		Type:    runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST,
		Percent: t.Percent, Tag: t.Tag,
	}
	err := checkTarget(t.LatestRevision, t.RevisionName)
	if t.RevisionName != "" && err == nil {
		out.Type, out.Revision = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, t.RevisionName
	}
	return out, err
}

// checkTarget says if a share leads nowhere, or to two revisions: the latest one
// and the one that has a name.
func checkTarget(latest *bool, name string) *api.FieldError {
	switch {
	case name == "" && latest != nil && !*latest:
		return &api.FieldError{Path: "revisionName", Message: "is missing: want a revision's name, or latestRevision: true"}
	case name != "" && latest != nil && *latest:
		return &api.FieldError{Path: "revisionName", Message: "cannot be set together with latestRevision: true: want one of them"}
	}
	return nil
}

// resource fills in the rest of t.
func (s *RevisionSpec) resource(t *runpb.RevisionTemplate) api.FieldErrors {
	if s.ContainerConcurrency != nil {
		t.MaxInstanceRequestConcurrency = *s.ContainerConcurrency
	}
	if s.TimeoutSeconds != nil {
		t.Timeout = &durationpb.Duration{Seconds: int64(*s.TimeoutSeconds)}
	}
	errs := s.InstanceSpec.resource(t)
	for i := range s.Containers {
		container, bad := s.Containers[i].resource(indexed(revisionPath+".containers", i))
		errs = append(errs, bad...)
		t.Containers = append(t.Containers, container)
	}
	return errs
}

// resource fills in what s says of t.
func (s *InstanceSpec) resource(t *runpb.RevisionTemplate) (errs api.FieldErrors) {
	t.ServiceAccount = s.ServiceAccountName
	for k, v := range s.NodeSelector {
		if k != acceleratorKey {
			errs = append(errs, api.FieldError{Path: revisionPath + `.nodeSelector["` + k + `"]`, Message: "is not a selector of Cloud Run: want " + acceleratorKey})
			continue
		}
		t.NodeSelector = &runpb.NodeSelector{Accelerator: v}
	}
	for i, v := range s.Volumes {
		volume, err := v.resource()
		if err != nil {
			errs = append(errs, api.FieldError{Path: indexed(revisionPath+".volumes", i) + "." + err.Path, Message: err.Message})
		}
		t.Volumes = append(t.Volumes, volume)
	}
	return errs
}

// resource is v in v2.
func (v Volume) resource() (*runpb.Volume, *api.FieldError) {
	out := &runpb.Volume{Name: v.Name}
	if v.EmptyDir == nil {
		return out, nil
	}
	dir := &runpb.EmptyDirVolumeSource{SizeLimit: string(v.EmptyDir.SizeLimit)}
	out.VolumeType = &runpb.Volume_EmptyDir{EmptyDir: dir}
	switch v.EmptyDir.Medium {
	case "":
	case mediumMemory:
		dir.Medium = runpb.EmptyDirVolumeSource_MEMORY
	default:
		return out, &api.FieldError{Path: "emptyDir.medium", Message: `"` + v.EmptyDir.Medium + `" is not supported: want ` + mediumMemory}
	}
	return out, nil
}

// mediumMemory is the medium of a volume in memory.
const mediumMemory = "Memory"
