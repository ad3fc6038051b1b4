package control

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/store"
)

// isUntried reports whether a revision of a worker pool is ready because it was to
// have no instances: its first ones show whether it can be.
func isUntried(r *runpb.Revision) bool {
	healthy := conditionOf(r.GetConditions(), containerHealthy)
	return isPool(r.GetName()) && isReady(r) && healthy.GetRevisionReason() == runpb.Condition_HEALTH_CHECK_SKIPPED
}

// tried stores what has become of the first instances of a revision that was
// untried: it has been ready rightly, or is not any more. Its worker pool is looked
// at anew then, and the error is errSuperseded.
func (c *Control) tried(ctx context.Context, r *servedRevision, failure error) error {
	err := c.persist(ctx, func(tx *store.Tx) error {
		now := getRevision(tx, r.GetName())
		if now.GetUid() != r.GetUid() || !isUntried(now) {
			return errSuperseded
		}
		now.UpdateTime = after(now.GetUpdateTime())
		if failure != nil {
			concludeRevision(now, false, failure)
		} else {
			healthy := succeeded(containerHealthy, "Containers became healthy.")
			now.Conditions = setCondition(now.Conditions, healthy, now.GetUpdateTime())
		}
		putRevision(tx, now)
		return nil
	})
	if err != nil {
		return err
	}
	c.changes.ring(r.GetName())
	c.attention.again(split(r.GetName()).owner().String(), c.tendService)
	return errSuperseded
}

// isStopped reports whether a revision of a worker pool waits for instances in vain:
// while it was being tried, all instances have been taken from it.
func (c *Control) isStopped(s standing, r servedRevision) bool {
	return isPool(r.GetName()) && isPending(r.Revision) && r.note.Deleted.IsZero() &&
		c.kept.has(r.GetName()) && !wantsInstances(s.trialScale(r))
}
