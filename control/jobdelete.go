package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// DeleteJob removes a job with all that it has: executions, which are cancelled
// first if they run, their tasks and logs, the policy. The operation is done
// when nothing is left.
func (c *Control) DeleteJob(ctx context.Context, r *runpb.DeleteJobRequest) (*runpb.Job, *longrunningpb.Operation, error) {
	n, err := c.parseOne("name", r.GetName(), atJob)
	if err != nil {
		return nil, nil, err
	}
	job, err := c.readJob(n)
	if err != nil {
		return nil, nil, err
	}
	if err := checkEtag(n.String(), r.GetEtag(), job.GetUpdateTime().AsTime()); err != nil {
		return nil, nil, err
	}
	if r.GetValidateOnly() {
		job, err := c.showJob(ctx, job)
		if err != nil {
			return nil, nil, err
		}
		return job, validated(n, job), nil
	}
	return c.markJobDeleted(ctx, job, r.GetEtag())
}

// markJobDeleted stores that a job is to be deleted, if it still has the etag
// that the caller has seen, and has it removed.
func (c *Control) markJobDeleted(ctx context.Context, job *runpb.Job, etag string) (*runpb.Job, *longrunningpb.Operation, error) {
	n := split(job.GetName())
	op := c.begin(verbDelete, n, job.GetUid())
	var next *runpb.Job
	err := c.update(ctx, func(tx *store.Tx) error {
		if next = getJob(tx, n.String()); next.GetUid() != job.GetUid() {
			return notFound(n)
		}
		if err := checkEtag(n.String(), etag, next.GetUpdateTime().AsTime()); err != nil {
			return err
		}
		if next.GetDeleteTime() == nil {
			next.UpdateTime = after(next.GetUpdateTime())
			next.DeleteTime, next.ExpireTime = next.GetUpdateTime(), next.GetUpdateTime()
			next.LastModifier = caller(ctx)
		}
		putJob(tx, next)
		op.put(tx)
		return nil
	}, func(err error) {
		op.settled(err)
		if c.stands(err, kindOperations, op.name) {
			c.attention.call(n.String(), c.tendJob)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	shown, err := c.showJob(ctx, proto.CloneOf(next))
	if err != nil {
		return nil, nil, err
	}
	return shown, op.message(shown), nil
}

// tearDown removes a job when its executions are gone, which it sees to.
func (c *Control) tearDown(ctx context.Context, job *runpb.Job) {
	for ctx.Err() == nil {
		gone, err := c.takeApart(ctx, job)
		if gone {
			return
		}
		if err != nil && ctx.Err() == nil {
			c.config.Logger.Error("cannot remove a job", "job", job.GetName(), "err", err)
			wait(ctx, retryDisk)
		}
	}
}

// takeApart removes the job if it has no executions any more. If it has, all are
// to be deleted, and it returns when one is gone.
func (c *Control) takeApart(ctx context.Context, job *runpb.Job) (gone bool, err error) {
	n := split(job.GetName())
	changed, leave := c.changes.listen(n.String())
	defer leave()
	wanted, deleted, err := c.executionsOf(n)
	switch {
	case err != nil:
		return false, err
	case len(wanted) > 0:
		if err := c.markDeleted(ctx, wanted); err != nil {
			return false, err
		}
	case deleted == 0:
		err := c.removeJob(ctx, job)
		return err == nil, err
	}
	select {
	case <-changed:
	case <-ctx.Done():
	}
	return false, nil
}

// executionsOf are the executions of a job that are not being deleted yet, and
// how many are: all that are stored, whether anybody has been told of them or
// not.
func (c *Control) executionsOf(job name) (wanted []string, deleted int, err error) {
	err = c.view(func(tx *store.Tx) error {
		wanted, deleted = nil, 0
		for e := range tx.Under(kindExecutions, job.String()+"/") {
			if getNote(tx, e.Name).Deleted.IsZero() {
				wanted = append(wanted, e.Name)
			} else {
				deleted++
			}
		}
		return nil
	})
	return wanted, deleted, err
}

// removeJob removes a job that has no executions.
func (c *Control) removeJob(ctx context.Context, job *runpb.Job) error {
	var done []string
	err := c.persist(ctx, func(tx *store.Tx) error {
		tx.Delete(kindJobs, job.GetName())
		tx.Delete(kindPins, job.GetName())
		tx.Delete(kindPolicies, job.GetName())
		done = c.finish(tx, end{target: c.storedJob(tx, job), removed: true})
		return nil
	})
	if err != nil {
		return err
	}
	c.config.Logger.Info("job is removed", "job", job.GetName())
	c.finished(job.GetUid(), done)
	c.changes.ring(job.GetName())
	c.collect()
	return nil
}
