package workerpools

import (
	"cloud.google.com/go/run/apiv2/runpb"

	v1 "runnel/api/v1"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// poolRow is a worker pool as --format sees it; export leaves out what belongs
// to this host.
func (c *commands) poolRow(pool *runpb.WorkerPool, export bool) (format.Row, error) {
	ready := pool.GetTerminalCondition()
	return sheet.Row(v1.FormatWorkerPool(pool, v1.Options{Export: export}), map[string]any{
		"ready_symbol":         c.Mark(sheet.StateOf(ready)).Symbol,
		"name":                 verb.Short(pool.GetName()),
		"region":               verb.Part(pool.GetName(), "locations"),
		"author":               pool.GetCreator(),
		"last_modifier":        pool.GetLastModifier(),
		"creation_timestamp":   sheet.Timestamp(pool.GetCreateTime()),
		"last_transition_time": sheet.Timestamp(ready.GetLastTransitionTime()),
	})
}

// revisionRow is the same for a revision.
func (c *commands) revisionRow(revision *runpb.Revision, export bool) (format.Row, error) {
	return sheet.Row(v1.FormatRevision(revision, v1.Options{Export: export}), map[string]any{
		"ready_symbol":       c.Mark(sheet.RevisionState(revision)).Symbol,
		"name":               verb.Short(revision.GetName()),
		"active":             sheet.Active(revision),
		"worker_pool_name":   verb.Part(revision.GetName(), poolsOf),
		"region":             verb.Part(revision.GetName(), "locations"),
		"author":             revision.GetCreator(),
		"creation_timestamp": sheet.Timestamp(revision.GetCreateTime()),
	})
}
