package control

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// Job is a job as it stands. Its location may be "-", if no other one has a job
// of that id.
func (c *Control) Job(ctx context.Context, name string) (*runpb.Job, error) {
	n, err := c.parse("name", name, atJob)
	if err != nil {
		return nil, err
	}
	if n, err = c.theJob(n); err != nil {
		return nil, err
	}
	return c.job(ctx, n)
}

// theJob finds the only job that n, which may have "-" in it, is a name of.
func (c *Control) theJob(n name) (name, error) {
	if !n.wild() {
		return n, nil
	}
	found, err := c.named(kindJobs, n, 2)
	if err != nil {
		return n, err
	}
	if len(found) != 1 {
		return n, notFound(n)
	}
	return found[0], nil
}

// job reads a job.
func (c *Control) job(ctx context.Context, n name) (job *runpb.Job, err error) {
	if job, err = c.readJob(n); err != nil {
		return nil, err
	}
	return c.showJob(ctx, job)
}

// readJob reads a job as it is stored.
func (c *Control) readJob(n name) (job *runpb.Job, err error) {
	err = c.view(func(tx *store.Tx) error {
		if job = getJob(tx, n.String()); job == nil {
			return notFound(n)
		}
		return nil
	})
	return job, err
}

// Jobs is a page of the jobs of a location, the newest first.
func (c *Control) Jobs(ctx context.Context, q Query[*runpb.Job]) (items []*runpb.Job, next string, err error) {
	parent, err := c.parse("parent", q.Parent, atLocation)
	if err != nil {
		return nil, "", err
	}
	return page(c, kindJobs, parent, q, func(f found) (*runpb.Job, error) {
		job := &runpb.Job{}
		if err := proto.Unmarshal(f.value, job); err != nil {
			return nil, notFound(split(f.name))
		}
		return c.showJob(ctx, job)
	})
}

// showJob adds to a job, which is the caller's own, what is not stored with it.
func (c *Control) showJob(ctx context.Context, job *runpb.Job) (*runpb.Job, error) {
	latest := c.count(job)
	if latest == "" {
		return job, nil
	}
	x, err := c.execution(ctx, split(latest))
	switch {
	case isNotFound(err): // removed a moment ago
		return job, nil
	case err != nil:
		return nil, err
	}
	job.LatestCreatedExecution = reference(x)
	return job, nil
}

// storedJob is showJob within a transaction.
func (c *Control) storedJob(tx *store.Tx, job *runpb.Job) *runpb.Job {
	job = proto.CloneOf(job)
	if x := getExecution(tx, c.count(job)); x != nil {
		job.LatestCreatedExecution = reference(c.show(x, getNote(tx, x.GetName())))
	}
	return job
}

// count adds to a job its version and how many executions it has, and returns
// the latest one's name.
func (c *Control) count(job *runpb.Job) (latest string) {
	job.Etag = Etag(job.GetName(), job.GetUpdateTime().AsTime())
	count, latest := c.census.of(split(job.GetName()))
	job.ExecutionCount = int32(count)
	return latest
}

// reference is what a job tells of the execution that was created last.
func reference(x *runpb.Execution) *runpb.ExecutionReference {
	return &runpb.ExecutionReference{
		Name:             split(x.GetName()).id(),
		CreateTime:       x.GetCreateTime(),
		CompletionTime:   x.GetCompletionTime(),
		DeleteTime:       x.GetDeleteTime(),
		CompletionStatus: completionStatus(x),
	}
}

// completionStatus sums up an execution's conditions.
func completionStatus(x *runpb.Execution) runpb.ExecutionReference_CompletionStatus {
	c := completed(x)
	switch {
	case c.GetState() == runpb.Condition_CONDITION_SUCCEEDED:
		return runpb.ExecutionReference_EXECUTION_SUCCEEDED
	case c.GetState() == runpb.Condition_CONDITION_FAILED && c.GetExecutionReason() == runpb.Condition_CANCELLED:
		return runpb.ExecutionReference_EXECUTION_CANCELLED
	case c.GetState() == runpb.Condition_CONDITION_FAILED:
		return runpb.ExecutionReference_EXECUTION_FAILED
	case x.GetStartTime() != nil:
		return runpb.ExecutionReference_EXECUTION_RUNNING
	}
	return runpb.ExecutionReference_EXECUTION_PENDING
}
