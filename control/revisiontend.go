package control

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	"runnel/scheduler"
	"runnel/scheduler/serving"
	"runnel/store"
)

// tendRevision brings a revision on: its images, an instance that shows that it
// can be, and away when it is deleted. It returns when nothing is left to do,
// or ctx has ended.
func (c *Control) tendRevision(ctx context.Context, revision string) {
	for ctx.Err() == nil {
		r, of, err := c.readRevision(split(revision))
		if isNotFound(err) {
			return
		}
		if err == nil {
			if err = c.advanceRevision(ctx, servedRevision{r, of}); err == nil {
				return
			}
		}
		if ctx.Err() == nil && !errors.Is(err, errSuperseded) {
			c.config.Logger.Error("cannot go on with a revision", "revision", revision, "err", err)
			wait(ctx, retryDisk)
		}
	}
}

// advanceRevision does what there is to do for a revision.
func (c *Control) advanceRevision(ctx context.Context, r servedRevision) error {
	switch {
	case !r.note.Deleted.IsZero():
		return c.removeRevision(ctx, r)
	case isBroken(r.Revision):
		return c.dropRevision(ctx, r.GetName())
	case isReady(r.Revision):
		return c.bringBack(ctx, r)
	}
	failure, err := c.deploy(ctx, &r)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		err = c.settleRevision(ctx, r, failure)
	}
	if err != nil {
		return err
	}
	c.attention.call(split(r.GetName()).owner().String(), c.tendService)
	if failure != nil {
		return c.dropRevision(ctx, r.GetName())
	}
	return nil
}

// errDeadline is what a deployment is ended by that takes too long.
var errDeadline = errors.New("the revision was not ready in time")

// deploy makes a revision ready, or finds out what keeps it from ever being so:
// the failure. An error is of this host's. A revision of a worker pool that is to
// have no instances is not checked: an instance would do work.
func (c *Control) deploy(ctx context.Context, r *servedRevision) (failure, err error) {
	images, pinned, err := c.pinImages(ctx, *r)
	if errors.As(err, new(*deployError)) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := c.readStanding(split(r.GetName()).owner().String())
	if err != nil {
		return nil, err
	}
	scale := s.trialScale(*r)
	if err := c.keep(pinned, images, scale); err != nil {
		return impossible(err), nil
	}
	if isPool(r.GetName()) && !wantsInstances(scale) {
		r.note.Unchecked = true
	}
	if r.note.Unchecked {
		return nil, nil
	}
	bound, cancel := context.WithTimeoutCause(ctx, c.config.DeployTime, errDeadline)
	defer cancel()
	failure = c.config.Fleet.Check(bound, r.GetName())
	if failure == nil && wantsInstances(scale) {
		failure, err = c.provision(bound, *r, least(scale))
	}
	if errors.Is(failure, serving.ErrDetached) || errors.Is(failure, serving.ErrUnknown) {
		return nil, failure // which is nothing that the revision has done
	}
	return failure, err
}

// provision waits for the minimum of a revision's instances, and tells so. That
// it takes long, where the host has no room or starts are slow, does not keep the
// revision from being ready; instances that cannot be started do.
func (c *Control) provision(ctx context.Context, r servedRevision, n int32) (failure, err error) {
	warming := underWay(minProvisioned, fmt.Sprintf("Starting the minimum of %d instances.", n))
	warming.Reasons = &runpb.Condition_RevisionReason_{RevisionReason: runpb.Condition_MIN_INSTANCES_WARMING}
	if err := c.tell(ctx, r, warming); err != nil {
		return nil, err
	}
	failure = c.awaitMinimum(ctx, r.GetName())
	var start *serving.StartError
	switch {
	case ctx.Err() != nil || failure != nil && !errors.As(failure, &start) && !errors.Is(failure, errDeadline):
		return failure, nil
	case start != nil:
		return &deployError{minProvisioned, notProvisioned(n, start.Message), failure}, nil
	case failure != nil:
		c.config.Logger.Warn("the minimum of instances takes long", "revision", r.GetName(), "err", failure)
		late := notProvisioned(n, "they are still being started, or wait for room on this host.")
		late.Severity = runpb.Condition_WARNING
		return nil, c.tell(ctx, r, late)
	}
	return nil, c.tell(ctx, r, succeeded(minProvisioned, fmt.Sprintf("The minimum of %d instances is provisioned.", n)))
}

// notProvisioned is a minimum of instances that is not there.
func notProvisioned(n int32, why string) *runpb.Condition {
	reason := &runpb.Condition{Reasons: &runpb.Condition_RevisionReason_{RevisionReason: runpb.Condition_MIN_INSTANCES_NOT_PROVISIONED}}
	return failing(minProvisioned, fmt.Sprintf("The minimum of %d instances could not be provisioned: %s", n, why), reason)
}

// tell stores a condition of a revision on its way.
func (c *Control) tell(ctx context.Context, r servedRevision, condition *runpb.Condition) error {
	err := c.persist(ctx, func(tx *store.Tx) error {
		now := getRevision(tx, r.GetName())
		if now.GetUid() != r.GetUid() || !isPending(now) {
			return errSuperseded
		}
		now.UpdateTime = after(now.GetUpdateTime())
		now.Conditions = setCondition(now.Conditions, condition, now.GetUpdateTime())
		putRevision(tx, now)
		return nil
	})
	if err == nil {
		c.changes.ring(r.GetName())
	}
	return err
}

// impossible is a revision that the fleet does not take.
func impossible(err error) *deployError {
	message := fmt.Sprintf("The revision is not possible on this host: %v.", err)
	var capacity *scheduler.CapacityError
	if errors.As(err, &capacity) {
		message = fmt.Sprintf("The revision is too large for this host: %v.", capacity)
	}
	why := &runpb.Condition{Reasons: &runpb.Condition_Reason{Reason: runpb.Condition_UNKNOWN}}
	return &deployError{resourcesAvailable, failing(resourcesAvailable, message, why), err}
}

// keep has the fleet keep a revision, if it does not yet.
func (c *Control) keep(r *runpb.Revision, images []*rimage.Image, scale serving.Scale) error {
	if c.kept.has(r.GetName()) {
		c.config.Fleet.SetScale(r.GetName(), scale)
		return nil
	}
	var past []serving.Record
	err := c.view(func(tx *store.Tx) error {
		past = pastOf(tx, r.GetName())
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.config.Fleet.Add(r, images, scale, past); err != nil {
		return err
	}
	c.kept.add(r.GetName())
	return nil
}

// dropRevision has the fleet let go of a revision.
func (c *Control) dropRevision(ctx context.Context, revision string) error {
	if c.kept.has(revision) {
		if err := c.config.Fleet.Remove(ctx, revision); err != nil {
			return fmt.Errorf("remove revision %s: %w", revision, err)
		}
		c.kept.remove(revision)
	}
	c.collect()
	return nil
}

// bringBack has the fleet keep a revision that is ready, and whose images have
// got lost with the host's disk, or the like. It tries until that is so.
func (c *Control) bringBack(ctx context.Context, r servedRevision) error {
	for !c.kept.has(r.GetName()) {
		err := c.takeBack(ctx, r)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.config.Logger.Warn("a revision cannot be served yet", "revision", r.GetName(), "err", err)
		wait(ctx, retryImport)
	}
	c.attention.call(split(r.GetName()).owner().String(), c.tendService)
	return nil
}

// takeBack has the fleet keep a revision that is ready.
func (c *Control) takeBack(ctx context.Context, r servedRevision) error {
	lease := c.config.Images.Lease()
	defer c.release(lease)
	images, err := imagesOf(ctx, lease, r.note)
	if err != nil {
		return err
	}
	if err := checkDigests(r.note, images); err != nil {
		return err
	}
	// What it is to have at least it gets with its traffic.
	return c.keep(r.Revision, images, serving.Scale{Max: int(r.GetScaling().GetMaxInstanceCount()), Manual: -1})
}
