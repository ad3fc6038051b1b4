package control

import (
	"context"
	"errors"
	"math"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	"runnel/scheduler"
	"runnel/store"
)

// tendExecution brings an execution on: to the scheduler, to its end, and away
// when it is deleted. It returns when nothing is left to do, or ctx has ended.
func (c *Control) tendExecution(ctx context.Context, full string) {
	for ctx.Err() == nil {
		x, of, err := c.readExecution(split(full))
		switch {
		case isNotFound(err):
			c.census.forget(split(full)) // it was removed before whoever made it counted it
			return
		case err != nil:
			c.trouble(full, err)
			return
		}
		done, err := c.advance(ctx, x, of)
		if done {
			return
		}
		if err != nil && ctx.Err() == nil {
			c.trouble(full, err)
			wait(ctx, retryDisk)
		}
	}
}

// trouble tells that something cannot be done for an execution.
func (c *Control) trouble(full string, err error) {
	c.config.Logger.Error("cannot go on with an execution", "execution", full, "err", err)
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// advance does the next thing for an execution and reports whether it was the
// last one.
func (c *Control) advance(ctx context.Context, x *runpb.Execution, of note) (done bool, err error) {
	r := c.runs.get(x.GetName())
	switch {
	case r != nil:
		return false, c.accompany(ctx, r, of)
	case !ended(x):
		return false, c.begun(ctx, x, of)
	case !of.Deleted.IsZero():
		err := c.remove(ctx, x)
		return err == nil, err
	}
	err = c.conclude(ctx, x, of)
	return err == nil, err
}

// accompany waits for the scheduler to be done with an execution, which it has
// cancelled where nobody wants it any more.
func (c *Control) accompany(ctx context.Context, r *run, of note) error {
	if of.unwanted() && !r.cancelled {
		r.cancelled = true
		r.Cancel()
	}
	select {
	case <-r.Done():
	case <-ctx.Done():
		return nil
	}
	last, err := r.Wait(ctx)
	if last == nil {
		return err
	}
	if err != nil {
		c.config.Logger.Warn("an execution has left something behind", "execution", last.GetName(), "err", err)
	}
	if err := c.storeEnd(ctx, last); err != nil {
		return err
	}
	c.runs.remove(last.GetName())
	return nil
}

// storeEnd makes sure that the end of an execution is stored.
func (c *Control) storeEnd(ctx context.Context, last *runpb.Execution) error {
	return c.persist(ctx, func(tx *store.Tx) error {
		if x := getExecution(tx, last.GetName()); x.GetUid() == last.GetUid() && !ended(x) {
			putExecution(tx, last)
		}
		return nil
	})
}

// begun hands an execution to the scheduler once its image is there, or ends it
// because it cannot be, or because nobody wants it any more.
func (c *Control) begun(ctx context.Context, x *runpb.Execution, of note) error {
	past, err := c.past(x, of)
	if err != nil {
		return err
	}
	if of.unwanted() {
		return c.finishOff(ctx, x, of, past)
	}
	lease := c.config.Images.Lease()
	defer c.release(lease)
	img, err := obtain(ctx, lease, of.Reference, of.Digest)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && len(past.Tasks) > 0 && mayPass(err):
		c.trouble(x.GetName(), err)
		wait(ctx, retryImport)
		return nil
	case err != nil:
		return c.giveUp(ctx, x, past, imageReason(err), err)
	case of.Digest != img.Digest: // not known, or of a file that is another one now
		if x, err = c.identify(ctx, x, img.Digest); err != nil {
			return err
		}
	}
	if err = c.hand(x, img, past); err != nil && !errors.Is(err, scheduler.ErrRunning) {
		return c.giveUp(ctx, x, past, runpb.Condition_INTERNAL, err)
	}
	return err
}

// retryImport is how long to wait before an image is asked for again that an
// execution had when it began.
const retryImport = 15 * time.Second

// finishOff ends an execution that nobody wants any more. What an earlier
// process has begun of it is for the scheduler to end, which needs no image for
// that.
func (c *Control) finishOff(ctx context.Context, x *runpb.Execution, of note, past scheduler.Past) error {
	if len(past.Tasks) == 0 {
		return c.storeEnd(ctx, scheduler.CancelledExecution(x, now()))
	}
	img, err := c.config.Images.Image(of.Digest)
	if err != nil {
		img = &rimage.Image{}
	}
	return c.hand(x, img, past)
}

// giveUp ends an execution whose image cannot be had, or that the scheduler does
// not take: with all tasks that have not ended.
func (c *Control) giveUp(ctx context.Context, x *runpb.Execution, past scheduler.Past, reason runpb.Condition_CommonReason, why error) error {
	c.config.Logger.Warn("execution is given up", "execution", x.GetName(), "err", why)
	last := scheduler.FailedExecution(x, reason, why, now())
	var rows []scheduler.TaskRecord
	for _, r := range past.Tasks {
		if r.Attempts > 1 {
			last.RetriedCount++
		}
		switch {
		case r.State == scheduler.Succeeded:
			last.SucceededCount++
			last.FailedCount--
		case !r.State.Final():
			r.State, r.Error = scheduler.Failed, why.Error()
			r.Completed, r.Updated = last.GetCompletionTime().AsTime(), last.GetCompletionTime().AsTime()
			rows = append(rows, r)
		}
	}
	return c.persist(ctx, func(tx *store.Tx) error {
		for _, r := range rows {
			value, _ := r.MarshalBinary() // never fails
			tx.PutRow(x.GetUid(), uint32(r.Index), value)
		}
		putExecution(tx, last)
		return nil
	})
}

// past is what the journal has kept of an execution.
func (c *Control) past(x *runpb.Execution, of note) (past scheduler.Past, err error) {
	past.Cancelling = of.unwanted()
	err = c.view(func(tx *store.Tx) error {
		past.Tasks = taskRecords(tx, x, 0, math.MaxInt32)
		return nil
	})
	return past, err
}

// identify stores what the image of an execution is.
func (c *Control) identify(ctx context.Context, x *runpb.Execution, digest string) (next *runpb.Execution, err error) {
	err = c.persist(ctx, func(tx *store.Tx) error {
		if next = getExecution(tx, x.GetName()); next.GetUid() != x.GetUid() {
			return errSuperseded
		}
		of := getNote(tx, x.GetName())
		of.Digest = digest
		next.GetTemplate().GetContainers()[0].Image = byDigest(of.Reference, digest)
		putExecution(tx, next)
		putNote(tx, next, of)
		return nil
	})
	return next, err
}

// hand gives an execution to the scheduler.
func (c *Control) hand(x *runpb.Execution, img *rimage.Image, past scheduler.Past) error {
	// It is cancelled by name, never by a context: one that ends with the
	// daemon must not take executions with it.
	e, err := c.config.Scheduler.Run(context.Background(), x, img, past)
	if err != nil {
		return err
	}
	c.runs.add(x.GetName(), &run{Execution: e, cancelled: past.Cancelling})
	c.changes.ring(x.GetName())
	return nil
}
