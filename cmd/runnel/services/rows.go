package services

import (
	"cloud.google.com/go/run/apiv2/runpb"

	v1 "runnel/api/v1"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// serviceRow is a service as --format sees it; export leaves out what belongs to
// this host.
func (c *commands) serviceRow(service *runpb.Service, export bool) (format.Row, error) {
	ready := service.GetTerminalCondition()
	return sheet.Row(v1.FormatService(service, v1.Options{Export: export}), map[string]any{
		"ready_symbol":         c.Mark(sheet.StateOf(ready)).Symbol,
		"name":                 verb.Short(service.GetName()),
		"region":               verb.Part(service.GetName(), "locations"),
		"domain":               service.GetUri(),
		"author":               service.GetCreator(),
		"last_modifier":        service.GetLastModifier(),
		"creation_timestamp":   sheet.Timestamp(service.GetCreateTime()),
		"last_transition_time": sheet.Timestamp(ready.GetLastTransitionTime()),
	})
}

// revisionRow is the same for a revision.
func (c *commands) revisionRow(revision *runpb.Revision, export bool) (format.Row, error) {
	return sheet.Row(v1.FormatRevision(revision, v1.Options{Export: export}), map[string]any{
		"ready_symbol":       c.Mark(sheet.RevisionState(revision)).Symbol,
		"name":               verb.Short(revision.GetName()),
		"active":             sheet.Active(revision),
		"service_name":       verb.Part(revision.GetName(), servicesOf),
		"region":             verb.Part(revision.GetName(), "locations"),
		"author":             revision.GetCreator(),
		"creation_timestamp": sheet.Timestamp(revision.GetCreateTime()),
	})
}
