package v1

import (
	"cloud.google.com/go/run/apiv2/runpb"
)

// FormatConfiguration is the part of s that makes revisions.
func FormatConfiguration(s *runpb.Service, o Options) *Configuration {
	out := &Configuration{
		APIVersion: ServingVersion, Kind: KindConfiguration,
		Metadata: o.viewMeta(s, pluralConfigurations),
		Spec:     ConfigurationSpec{Template: revisionTemplate(s.GetTemplate())},
	}
	if !o.Export {
		out.Status = &ConfigurationStatus{
			ObservedGeneration:        s.GetObservedGeneration(),
			Conditions:                asReady(s, configurationsCondition),
			LatestReadyRevisionName:   shortName(s.GetLatestReadyRevision()),
			LatestCreatedRevisionName: shortName(s.GetLatestCreatedRevision()),
		}
	}
	return out
}

// FormatRoute is the part of s that shares out requests.
func FormatRoute(s *runpb.Service, o Options) *Route {
	out := &Route{
		APIVersion: ServingVersion, Kind: KindRoute,
		Metadata: o.viewMeta(s, pluralRoutes),
		Spec:     RouteSpec{Traffic: traffic(s.GetTraffic())},
	}
	if !o.Export {
		out.Status = &RouteStatus{
			ObservedGeneration: s.GetObservedGeneration(),
			Conditions:         asReady(s, routesCondition),
			Traffic:            trafficStatus(s),
			URL:                s.GetUri(),
			Address:            address(s.GetUri()),
		}
	}
	return out
}

// viewMeta is the metadata of what is seen of s in another form: its own, and a
// label with its name.
func (o Options) viewMeta(s *runpb.Service, plural string) ObjectMeta {
	labels := texts{}
	labels.set(serviceKey, split(s.GetName()).service)
	labels.set(serviceUIDKey, s.GetUid())
	return o.objectMeta(s, plural, o.serviceAnnotations(s), labels)
}

// asReady is the one condition of s that tells of a part of it, as that part's
// own.
func asReady(s *runpb.Service, part string) (out []Condition) {
	for _, c := range serviceConditions(s) {
		if c.Type == part {
			c.Type = readyCondition
			out = append(out, c)
		}
	}
	return out
}
