package control

import (
	"context"
	"fmt"
	"math"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/scheduler"
	"runnel/store"
)

// conclude draws the consequences of an execution's end.
func (c *Control) conclude(ctx context.Context, x *runpb.Execution, of note) error {
	n := split(x.GetName())
	if of.Terminated {
		// Before anybody is told of the end: until then it is looked at again.
		if err := c.removeLogs(ctx, x); err != nil {
			return err
		}
	}
	var done []string
	err := c.persist(ctx, func(tx *store.Tx) error {
		e := end{target: c.show(getExecution(tx, x.GetName()), of), timedOut: timedOut(tx, x)}
		done = c.finish(tx, e)
		return nil
	})
	if err != nil {
		return err
	}
	c.census.end(n)
	c.finished(x.GetUid(), done)
	c.changes.ring(x.GetName())
	c.spare(n, of)
	old, err := c.surplus(x)
	if err != nil {
		return err
	}
	return c.markDeleted(ctx, old)
}

// timedOut reports whether the first task that failed was ended by its timeout.
func timedOut(tx *store.Tx, x *runpb.Execution) bool {
	if x.GetFailedCount() == 0 {
		return false
	}
	for _, r := range taskRecords(tx, x, 0, math.MaxInt32) {
		if r.FirstFailure {
			return r.Exit.TimedOut
		}
	}
	return false
}

// spare has an ended execution's image collected, unless its job has the same.
func (c *Control) spare(n name, of note) {
	var same bool
	err := c.view(func(tx *store.Tx) error {
		same = getPin(tx, n.up(atJob).String()).Digest == of.Digest
		return nil
	})
	if err == nil && !same && of.Digest != "" {
		c.collect()
	}
}

// markDeleted has executions deleted on nobody's behalf.
func (c *Control) markDeleted(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	err := c.persist(ctx, func(tx *store.Tx) error {
		for _, full := range names {
			x, of := getExecution(tx, full), getNote(tx, full)
			if x != nil && of.Deleted.IsZero() {
				of.Deleted = now()
				putNote(tx, x, of)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, full := range names {
		c.attention.call(full, c.tendExecution)
	}
	return nil
}

// remove takes away an ended execution: first what its instances have written,
// so that nothing is left of it when nobody knows it any more.
func (c *Control) remove(ctx context.Context, x *runpb.Execution) error {
	if err := c.removeLogs(ctx, x); err != nil {
		return err
	}
	n := split(x.GetName())
	var done []string
	var of note
	err := c.persist(ctx, func(tx *store.Tx) error {
		of = getNote(tx, x.GetName())
		tx.Delete(kindExecutions, x.GetName())
		tx.Delete(kindNotes, x.GetName())
		tx.DeleteSeries(x.GetUid())
		done = c.finish(tx, end{target: c.show(x, of), removed: true})
		return nil
	})
	if err != nil {
		return err
	}
	c.config.Logger.Info("execution is removed", "execution", n.id())
	c.census.forget(n)
	c.finished(x.GetUid(), done)
	c.changes.ring(x.GetName(), n.up(atJob).String())
	c.spare(n, of)
	return nil
}

// removeLogs removes what the instances of an ended execution have written.
func (c *Control) removeLogs(ctx context.Context, x *runpb.Execution) error {
	if c.config.RemoveLogs == nil {
		return nil
	}
	var records []scheduler.TaskRecord
	err := c.view(func(tx *store.Tx) error {
		records = taskRecords(tx, x, 0, math.MaxInt32)
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range records {
		for _, id := range instanceIDs(x, r) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.config.RemoveLogs(id); err != nil {
				return fmt.Errorf("logs of instance %s: %w", id, err)
			}
		}
	}
	return nil
}

// instanceIDs are the instances that a task has had, by attempt.
func instanceIDs(x *runpb.Execution, r scheduler.TaskRecord) []string {
	ids := make([]string, r.Attempts)
	for attempt := range ids {
		ids[attempt] = scheduler.InstanceID(x, r.Index, attempt)
	}
	return ids
}

// markCancelled has an execution cancelled on nobody's behalf.
func (c *Control) markCancelled(ctx context.Context, full string) error {
	err := c.persist(ctx, func(tx *store.Tx) error {
		x, of := getExecution(tx, full), getNote(tx, full)
		if x != nil && !ended(x) && !of.unwanted() {
			of.Cancelled = now()
			putNote(tx, x, of)
		}
		return nil
	})
	if err == nil {
		c.attention.call(full, c.tendExecution)
	}
	return err
}
