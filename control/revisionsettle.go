package control

import (
	"context"
	"errors"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/scheduler/serving"
	"runnel/store"
)

// deployError is why a revision is not ready, where it is not an instance's
// fault.
type deployError struct {
	// kind is the condition that does not hold.
	kind      string
	condition *runpb.Condition
	cause     error
}

// Error is for people.
func (e *deployError) Error() string { return e.condition.GetMessage() }

// Unwrap is the cause.
func (e *deployError) Unwrap() error { return e.cause }

// settleRevision stores that a revision is ready, or why it is not.
func (c *Control) settleRevision(ctx context.Context, r servedRevision, failure error) error {
	if failure != nil {
		c.config.Logger.Warn("revision is not ready", "revision", r.GetName(), "err", failure)
	} else {
		c.config.Logger.Info("revision is ready", "revision", r.GetName())
	}
	err := c.persist(ctx, func(tx *store.Tx) error {
		now := getRevision(tx, r.GetName())
		if now.GetUid() != r.GetUid() || !isPending(now) {
			return errSuperseded
		}
		now.UpdateTime = after(now.GetUpdateTime())
		concludeRevision(now, r.note.Unchecked, failure)
		putRevision(tx, now)
		return nil
	})
	if err == nil {
		c.changes.ring(r.GetName())
	}
	return err
}

// sinceCreated is how long ago a revision was created, at its last update.
func sinceCreated(r *runpb.Revision) time.Duration {
	return r.GetUpdateTime().AsTime().Sub(r.GetCreateTime().AsTime())
}

// concludeRevision gives a revision the conditions of one that is ready, or that
// cannot be; unchecked ones are ready without having been tried.
func concludeRevision(r *runpb.Revision, unchecked bool, failure error) {
	at := r.GetUpdateTime()
	set := func(c *runpb.Condition) { r.Conditions = setCondition(r.Conditions, c, at) }
	r.Reconciling, r.ObservedGeneration = false, r.GetGeneration()
	if failure != nil {
		kind, why := whyNot(failure)
		set(failing(kind, why.GetMessage(), why))
		set(failing(readyCondition, why.GetMessage(), why))
		return
	}
	message := "Deploying revision succeeded in " + took(sinceCreated(r)) + "."
	healthy := succeeded(containerHealthy, "Containers became healthy in "+took(at.AsTime().Sub(conditionOf(r.GetConditions(), containerReady).GetLastTransitionTime().AsTime()))+".")
	if unchecked {
		healthy = succeeded(containerHealthy, "Deploy-time health check was skipped.")
		healthy.Reasons = &runpb.Condition_RevisionReason_{RevisionReason: runpb.Condition_HEALTH_CHECK_SKIPPED}
	}
	set(succeeded(readyCondition, message))
	set(succeeded(resourcesAvailable, message))
	set(healthy)
}

// whyNot is which condition of a revision does not hold, and why.
func whyNot(failure error) (kind string, why *runpb.Condition) {
	var start *serving.StartError
	var deploy *deployError
	switch {
	case errors.As(failure, &deploy):
		return deploy.kind, deploy.condition
	case errors.As(failure, &start):
		why := &runpb.Condition{Reasons: &runpb.Condition_RevisionReason_{RevisionReason: start.Reason}}
		return containerHealthy, failing(containerHealthy, start.Message, why)
	case errors.Is(failure, errDeadline):
		why := &runpb.Condition{Reasons: &runpb.Condition_Reason{Reason: runpb.Condition_PROGRESS_DEADLINE_EXCEEDED}}
		if errors.Is(failure, serving.ErrNoRoom) {
			return resourcesAvailable, failing(resourcesAvailable, "The revision was not ready in time: this host had no room for an instance.", why)
		}
		return containerHealthy, failing(containerHealthy, "The revision was not ready in time: no instance was ready.", why)
	}
	why = &runpb.Condition{Reasons: &runpb.Condition_Reason{Reason: runpb.Condition_INTERNAL}}
	return containerHealthy, failing(containerHealthy, failure.Error(), why)
}
