package workerpools

import (
	"bytes"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// poolText describes a worker pool to people.
func (c *commands) poolText(pool *runpb.WorkerPool) []byte {
	var b bytes.Buffer
	c.Heading(&b, sheet.StateOf(pool.GetTerminalCondition()), "WorkerPool", pool.GetName())
	fmt.Fprintln(&b)
	sheet.Labels(&b, pool.GetLabels())
	writeSplit(&b, pool)
	fmt.Fprintln(&b)
	sheet.Write(&b, []sheet.Item{
		sheet.Line(0, "Scaling", fmt.Sprintf("Manual (Instances: %d)", pool.GetScaling().GetManualInstanceCount())),
		sheet.Line(0, "Description", pool.GetDescription()),
	})
	sheet.Updated(&b, pool.GetTerminalCondition(), pool.GetLastModifier(), verb.Short(pool.GetLatestCreatedRevision()))
	t := pool.GetTemplate()
	sheet.Write(&b, instanceSheet(t.GetContainers(), t.GetServiceAccount(), t.GetVolumes(), 1))
	c.Message(&b, pool.GetTerminalCondition())
	return b.Bytes()
}

// revisionText describes a revision to people.
func (c *commands) revisionText(revision *runpb.Revision) []byte {
	var b bytes.Buffer
	c.Heading(&b, sheet.RevisionState(revision), "Revision", revision.GetName())
	fmt.Fprintln(&b)
	sheet.Labels(&b, revision.GetLabels())
	sheet.Write(&b, instanceSheet(revision.GetContainers(), revision.GetServiceAccount(), revision.GetVolumes(), 0))
	c.Message(&b, sheet.Ready(revision))
	return b.Bytes()
}

// instanceSheet is what an instance is made from.
func instanceSheet(containers []*runpb.Container, account string, volumes []*runpb.Volume, depth int) []sheet.Item {
	all := append(sheet.Containers(containers, depth), sheet.Line(depth, "Service account", account))
	return append(all, sheet.Volumes(volumes, depth)...)
}
