package workerpools

import (
	"bytes"
	"fmt"
	"maps"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/verb"
	"runnel/cmd/runnel/workerpools/split"
)

// pair is what is wanted of a revision's share of the instances, beside what is
// so: the result of update-instance-split, with gcloud's names.
type pair struct {
	DisplayPercent    string `json:"display_percent"`
	DisplayRevisionID string `json:"display_revision_id"`
	Key               string `json:"key"`
	LatestRevision    bool   `json:"latest_revision"`
	RevisionName      string `json:"revision_name"`
	StatusPercent     string `json:"status_percent"`
	TargetPercent     string `json:"target_percent"`
}

// pairsOf are the pairs of a worker pool, by name, the latest revision last.
func pairsOf(pool *runpb.WorkerPool) (pairs []pair) {
	wanted, is := split.Shares(pool.GetInstanceSplits()), split.Statuses(pool.GetInstanceSplitStatuses())
	all := maps.Clone(wanted)
	maps.Copy(all, is)
	for _, key := range shares.Keys(all) {
		p := pair{Key: key, LatestRevision: key == shares.Latest, RevisionName: key, TargetPercent: shares.None, StatusPercent: fmt.Sprint(is[key])}
		if p.LatestRevision {
			p.RevisionName = verb.Short(pool.GetLatestReadyRevision())
		}
		if share, named := wanted[key]; named {
			p.TargetPercent = fmt.Sprint(share)
		}
		p.DisplayPercent = shares.Display(p.TargetPercent, p.StatusPercent)
		p.DisplayRevisionID = shares.DisplayKey(key, p.RevisionName)
		pairs = append(pairs, p)
	}
	return pairs
}

// writeSplit writes which revisions have the instances.
func writeSplit(b *bytes.Buffer, pool *runpb.WorkerPool) {
	fmt.Fprintln(b, "Instance Split:")
	var rows [][]string
	for _, p := range pairsOf(pool) {
		rows = append(rows, []string{"  " + p.DisplayPercent, p.DisplayRevisionID})
	}
	b.Write(format.Columns(nil, rows))
}
