package sheet

import (
	"bytes"
	"cmp"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"
)

// Ready is the condition that says whether a revision can do its work.
func Ready(revision *runpb.Revision) *runpb.Condition {
	return Condition(revision.GetConditions(), "Ready")
}

// RevisionState is the state of a revision.
func RevisionState(revision *runpb.Revision) State { return StateOf(Ready(revision)) }

// Active is yes for a revision that may have instances.
func Active(revision *runpb.Revision) string {
	if Condition(revision.GetConditions(), "Active").GetState() == runpb.Condition_CONDITION_SUCCEEDED {
		return "yes"
	}
	return ""
}

// Updated writes when a resource has come to be as it is, by whom, and its
// latest revision, below which stands what its instances are made from.
func Updated(b *bytes.Buffer, ready *runpb.Condition, by, revision string) {
	fmt.Fprintf(b, "\nLast updated on %v by %s:\n  Revision %s\n", cmp.Or(Timestamp(ready.GetLastTransitionTime()), any("?")), cmp.Or(by, "?"), revision)
}

// Containers are containers, one below the other.
func Containers(all []*runpb.Container, depth int) (items []Item) {
	for _, c := range all {
		name := "Container"
		if c.GetName() != "" {
			name += " " + c.GetName()
		}
		items = append(append(items, Line(depth, name, "")), Container(c, depth+1)...)
	}
	return items
}

// Volumes are the volumes that containers share.
func Volumes(all []*runpb.Volume, depth int) (items []Item) {
	if len(all) > 0 {
		items = append(items, Line(depth, "Volumes", ""))
	}
	for _, v := range all {
		items = append(items, Line(depth+1, v.GetName(), ""),
			Line(depth+2, "type", "in-memory"), Line(depth+2, "size-limit", v.GetEmptyDir().GetSizeLimit()))
	}
	return items
}
