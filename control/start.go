package control

import (
	"context"
	"fmt"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// Start reads what there is and goes on with all that is not finished: jobs
// that are not ready yet, executions that have not ended, deletions. When it
// returns, the scheduler has every execution that may have instances, the fleet
// every revision that may, and nobody will ask for those of others. Call it
// once.
func (c *Control) Start(ctx context.Context) error {
	if err := c.config.Validate(); err != nil {
		return err
	}
	var left unfinished
	err := c.config.Store.View(func(tx *store.Tx) (err error) {
		left, err = c.takeStock(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("start control plane: %w", err)
	}
	for _, x := range left.executions {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := c.resume(x); err != nil {
			c.trouble(x.GetName(), err) // and nothing to keep the others from going on
		}
	}
	if err := c.resumeServices(ctx, left.services); err != nil {
		return err
	}
	for _, x := range left.executions {
		c.attention.call(x.GetName(), c.tendExecution)
	}
	for _, name := range left.ended {
		c.attention.call(name, c.tendExecution)
	}
	for _, name := range left.jobs {
		c.attention.call(name, c.tendJob)
	}
	for _, name := range left.schedules {
		c.attention.call(scheduleKey(name), c.tendSchedule)
	}
	c.clock.Go(func() { c.watchClock(c.ctx) })
	c.discard(left.operations)
	c.collect()
	c.attention.call(agingName, c.collectAged)
	return nil
}

// unfinished is what an earlier process has left to be done.
type unfinished struct {
	// jobs are not ready yet, or are being deleted; ended executions are being
	// deleted, or operations wait for them.
	jobs, ended []string
	// operations are done, and have been kept long enough.
	operations []string
	// services, worker pools among them, and schedules are all there are.
	services, schedules []string
	// executions have not ended.
	executions []*runpb.Execution
}

// takeStock reads all there is.
func (c *Control) takeStock(tx *store.Tx) (left unfinished, err error) {
	for _, e := range oldestFirst(tx, kindOperations) {
		left.operations = append(left.operations, c.takeOperation(e)...)
	}
	for e := range tx.Newest(kindJobs, "") {
		job := &runpb.Job{}
		if err := proto.Unmarshal(e.Value(), job); err != nil {
			return left, fmt.Errorf("job %s: %w", e.Name, err)
		}
		project := split(e.Name).project()
		c.projects.use(project, c.ProjectNumber(project))
		if job.GetReconciling() || job.GetDeleteTime() != nil {
			left.jobs = append(left.jobs, e.Name)
		}
	}
	for _, kind := range []store.Kind{kindServices, kindWorkerPools} {
		for e := range tx.Newest(kind, "") {
			project := split(e.Name).project()
			c.projects.use(project, c.ProjectNumber(project))
			left.services = append(left.services, e.Name)
		}
	}
	for e := range tx.Newest(kindSchedules, "") {
		project := split(e.Name).project()
		c.projects.use(project, c.ProjectNumber(project))
		left.schedules = append(left.schedules, e.Name)
	}
	return left, c.takeExecutions(tx, &left)
}

// takeExecutions enters the stored executions into the books.
func (c *Control) takeExecutions(tx *store.Tx, left *unfinished) error {
	for _, e := range oldestFirst(tx, kindExecutions) {
		x := &runpb.Execution{}
		if err := proto.Unmarshal(e.Value(), x); err != nil {
			return fmt.Errorf("execution %s: %w", e.Name, err)
		}
		c.census.add(split(e.Name), x.GetCreateTime().AsTime(), ended(x))
		switch {
		case !ended(x):
			left.executions = append(left.executions, x)
		case !getNote(tx, e.Name).Deleted.IsZero() || len(c.operations.of(x.GetUid())) > 0:
			left.ended = append(left.ended, e.Name)
		}
	}
	return nil
}

// oldestFirst are the records of a kind, in the order in which they came.
func oldestFirst(tx *store.Tx, kind store.Kind) []store.Entry {
	entries := slices.Collect(tx.Newest(kind, ""))
	slices.Reverse(entries)
	return entries
}

// takeOperation enters a stored operation into the books. It returns those that
// are to be removed.
func (c *Control) takeOperation(e store.Entry) (old []string) {
	var o operation
	if !unmarshalJSON(e.Value(), &o) {
		return nil
	}
	if !o.Done {
		c.operations.expect(e.Name, o.UID)
	}
	return c.operations.file(e.Name, o.When, c.config.KeepOperations, c.config.OperationAge)
}

// resume hands an execution back to the scheduler, if its image is there. One
// whose image is not has to wait for it.
func (c *Control) resume(x *runpb.Execution) error {
	_, of, err := c.readExecution(split(x.GetName()))
	if err != nil {
		return err
	}
	past, err := c.past(x, of)
	if err != nil || of.Digest == "" || of.unwanted() && len(past.Tasks) == 0 {
		return err
	}
	img, err := c.config.Images.Image(of.Digest)
	if err != nil {
		return nil
	}
	return c.hand(x, img, past)
}
