package v2

import "cloud.google.com/go/run/apiv2/runpb"

// leaving has nothing of what is about to be deleted failed any more, only not
// settled: gcloud, which waits for the end of a deletion by asking for what is
// deleted, takes a failure for the deletion's. The conditions are changed.
func leaving(conditions ...*runpb.Condition) {
	for _, c := range conditions {
		if c.GetState() == runpb.Condition_CONDITION_FAILED {
			c.State = runpb.Condition_CONDITION_RECONCILING
		}
	}
}
