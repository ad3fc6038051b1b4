package control

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/status"

	"runnel/store"
)

// tendJob brings about what is wanted of a job. It returns when nothing is left
// to do, or ctx has ended.
func (c *Control) tendJob(ctx context.Context, name string) {
	var job *runpb.Job
	err := c.view(func(tx *store.Tx) error {
		job = getJob(tx, name)
		return nil
	})
	switch {
	case err != nil:
		c.config.Logger.Error("cannot read a job", "job", name, "err", err)
	case job.GetDeleteTime() != nil:
		c.tearDown(ctx, job)
	case job.GetReconciling():
		c.reconcile(ctx, job)
	}
}

// reconcile makes a job ready, or says why it cannot be.
func (c *Control) reconcile(ctx context.Context, job *runpb.Job) {
	p, err := c.pinImage(ctx, job)
	failure := ready(job, runpb.Condition_CONDITION_FAILED, "")
	if err != nil {
		failure.Message = fmt.Sprintf("Image '%s' cannot be used: %v", image(job), err)
		failure.Reasons = &runpb.Condition_Reason{Reason: imageReason(err)}
	} else if err = c.tokenExecution(ctx, job, p); err != nil {
		failure.Message = status.Convert(err).Message()
		failure.Reasons = &runpb.Condition_Reason{Reason: runpb.Condition_UNKNOWN}
	}
	if ctx.Err() != nil || errors.Is(err, errSuperseded) {
		return // who has changed it has it looked at again
	}
	result := ready(job, runpb.Condition_CONDITION_SUCCEEDED, "")
	if err != nil {
		result = failure
		c.config.Logger.Warn("job is not ready", "job", job.GetName(), "err", err)
	}
	if err := c.settleJob(ctx, job, result); err != nil && ctx.Err() == nil && !errors.Is(err, errSuperseded) {
		c.config.Logger.Error("cannot store that a job is ready", "job", job.GetName(), "err", err)
	}
}

// errSuperseded is a job that has been changed in the meantime.
var errSuperseded = errors.New("the job has been changed")

// pinImage imports a job's image and stores what it is.
func (c *Control) pinImage(ctx context.Context, job *runpb.Job) (p pin, err error) {
	lease := c.config.Images.Lease()
	defer c.release(lease)
	img, err := lease.Import(ctx, image(job))
	if err != nil {
		return p, err
	}
	var changed bool
	err = c.persist(ctx, func(tx *store.Tx) error {
		if now := getJob(tx, job.GetName()); !sameVersion(now, job) {
			return errSuperseded
		}
		p = getPin(tx, job.GetName())
		changed = p.Digest != img.Digest
		p.Digest = img.Digest
		putPin(tx, job, p)
		return nil
	})
	if changed && err == nil {
		c.collect() // the image that it was before
	}
	return p, err
}

// sameVersion reports whether a job is still the one that was read.
func sameVersion(now, read *runpb.Job) bool {
	return now != nil && now.GetUid() == read.GetUid() && now.GetUpdateTime().AsTime().Equal(read.GetUpdateTime().AsTime())
}

// settleJob stores that a job is ready or cannot be, unless it has been changed
// in the meantime.
func (c *Control) settleJob(ctx context.Context, job *runpb.Job, result *runpb.Condition) error {
	var done []string
	err := c.persist(ctx, func(tx *store.Tx) error {
		now := getJob(tx, job.GetName())
		if !sameVersion(now, job) {
			return errSuperseded
		}
		now.Reconciling = false
		now.ObservedGeneration = now.GetGeneration()
		now.UpdateTime = after(now.GetUpdateTime())
		now.TerminalCondition = result
		result.LastTransitionTime = now.GetUpdateTime()
		putJob(tx, now)
		done = c.finish(tx, end{target: c.storedJob(tx, now)})
		return nil
	})
	if err != nil {
		return err
	}
	c.finished(job.GetUid(), done)
	c.changes.ring(job.GetName())
	return nil
}
