package v1

import (
	"maps"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
)

// FormatService is s in v1. What ParseService reads of it is the service again,
// without what only a server sets.
func FormatService(s *runpb.Service, o Options) *Service {
	out := &Service{
		APIVersion: ServingVersion, Kind: KindService,
		Metadata: o.objectMeta(s, pluralServices, o.serviceAnnotations(s), texts{}),
		Spec:     ServiceSpec{Template: revisionTemplate(s.GetTemplate()), Traffic: traffic(s.GetTraffic())},
	}
	if !o.Export && s.GetUid() != "" {
		out.Status = serviceStatus(s)
	}
	return out
}

// serviceLabels are the labels that a server gives a service.
func serviceLabels(*runpb.Service) texts { return texts{} }

// revisionTemplate is t in v1.
func revisionTemplate(t *runpb.RevisionTemplate) *RevisionTemplate {
	if t == nil {
		return nil
	}
	labels, annotations := restored(t.GetLabels(), t.GetAnnotations())
	maps.Copy(annotations, revisionAnnotations(t))
	if hasDefaultProbe(t) {
		labels[probeTypeKey] = probeTypeDefault
	}
	return &RevisionTemplate{
		Metadata: RevisionMeta{Name: shortName(t.GetRevision()), Labels: labels, Annotations: annotations},
		Spec:     revisionSpec(t),
	}
}

// traffic is what a service wants of its traffic.
func traffic(targets []*runpb.TrafficTarget) (out []TrafficTarget) {
	for _, t := range targets {
		target := TrafficTarget{Percent: t.GetPercent(), Tag: t.GetTag(), RevisionName: shortName(t.GetRevision())}
		if t.GetType() != runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION {
			latest := true
			target.LatestRevision, target.RevisionName = &latest, ""
		}
		out = append(out, target)
	}
	return out
}

// trafficStatus is where a service's traffic goes. Unlike what is wanted, it
// names the revision also where that is the latest.
func trafficStatus(s *runpb.Service) (out []TrafficTarget) {
	for _, t := range s.GetTrafficStatuses() {
		target := TrafficTarget{Percent: t.GetPercent(), Tag: t.GetTag(), URL: t.GetUri(), RevisionName: shortName(t.GetRevision())}
		if t.GetType() != runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION {
			latest := true
			target.LatestRevision = &latest
			if target.RevisionName == "" {
				target.RevisionName = shortName(s.GetLatestReadyRevision())
			}
		}
		out = append(out, target)
	}
	return out
}

func serviceStatus(s *runpb.Service) *ServiceStatus {
	return &ServiceStatus{
		ObservedGeneration:        s.GetObservedGeneration(),
		Conditions:                serviceConditions(s),
		LatestReadyRevisionName:   shortName(s.GetLatestReadyRevision()),
		LatestCreatedRevisionName: shortName(s.GetLatestCreatedRevision()),
		Traffic:                   trafficStatus(s),
		URL:                       s.GetUri(),
		Address:                   address(s.GetUri()),
	}
}

// address is where url leads, nil if it is empty.
func address(url string) *Address {
	if url == "" {
		return nil
	}
	return &Address{URL: url}
}

// Types of a service's conditions.
const (
	readyCondition          = "Ready"
	configurationsCondition = "ConfigurationsReady"
	routesCondition         = "RoutesReady"
)

// serviceConditions are those of s in the order in which v1 lists them.
func serviceConditions(s *runpb.Service) []Condition {
	order := []string{readyCondition, configurationsCondition, routesCondition}
	place := func(c Condition) int {
		if i := slices.Index(order, c.Type); i >= 0 {
			return i
		}
		return len(order)
	}
	all := append([]*runpb.Condition{s.GetTerminalCondition()}, s.GetConditions()...)
	out := conditions(all, s.GetDeleteTime() != nil)
	slices.SortStableFunc(out, func(a, b Condition) int { return place(a) - place(b) })
	return out
}
