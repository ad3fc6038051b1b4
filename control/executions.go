package control

import (
	"context"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/store"
)

// Execution is an execution as it stands. Its location and its job may be "-",
// if no other one has that id.
func (c *Control) Execution(ctx context.Context, name string) (*runpb.Execution, error) {
	n, err := c.parse("name", name, atExecution)
	if err != nil {
		return nil, err
	}
	if n, err = c.theExecution(n); err != nil {
		return nil, err
	}
	return c.execution(ctx, n)
}

// theExecution finds the only execution that n, which may have "-" in it, is a
// name of.
func (c *Control) theExecution(n name) (name, error) {
	if !n.wild() {
		return n, nil
	}
	if found, ok := c.census.find(n); ok {
		return found, nil
	}
	return n, notFound(n)
}

// execution is an execution as it stands.
func (c *Control) execution(ctx context.Context, n name) (*runpb.Execution, error) {
	// The scheduler is asked first: what it does not have any more is stored.
	r := c.runs.get(n.String())
	x, note, err := c.readExecution(n)
	if err != nil {
		return nil, err
	}
	return c.current(ctx, x, note, r)
}

// readExecution reads an execution as it is stored.
func (c *Control) readExecution(n name) (x *runpb.Execution, of note, err error) {
	err = c.view(func(tx *store.Tx) error {
		if x = getExecution(tx, n.String()); x == nil {
			return notFound(n)
		}
		of = getNote(tx, n.String())
		return nil
	})
	return x, of, err
}

// current is the execution x, read from the store, as it stands now: r is the
// scheduler's, nil if it does not have it.
func (c *Control) current(ctx context.Context, x *runpb.Execution, of note, r *run) (*runpb.Execution, error) {
	if r != nil {
		now, err := r.Status(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, contextError(ctx)
		case err != nil:
			return nil, unavailable(errClosed)
		}
		if now.GetUid() == x.GetUid() {
			x = now
		}
	}
	return c.show(x, of), nil
}

// Executions is a page of the executions of a job, or of all jobs, the newest
// first.
func (c *Control) Executions(ctx context.Context, q Query[*runpb.Execution]) (items []*runpb.Execution, next string, err error) {
	parent, err := c.parse("parent", q.Parent, atJob)
	if err != nil {
		return nil, "", err
	}
	return page(c, kindExecutions, parent, q, func(f found) (*runpb.Execution, error) {
		return c.foundExecution(ctx, f)
	})
}

// foundExecution is an execution from a list.
func (c *Control) foundExecution(ctx context.Context, f found) (*runpb.Execution, error) {
	x := &runpb.Execution{}
	if err := proto.Unmarshal(f.value, x); err != nil {
		return nil, notFound(split(f.name))
	}
	if ended(x) {
		return c.show(x, f.note), nil
	}
	// It may have ended since: whoever has it now knows.
	return c.execution(ctx, split(f.name))
}

// show adds to an execution, which is the caller's own, what is not stored with
// it: what is wanted of it, its version, and where its logs are.
func (c *Control) show(x *runpb.Execution, of note) *runpb.Execution {
	if of.unwanted() && !ended(x) {
		showCancelling(x, of)
	}
	if !of.Deleted.IsZero() {
		x.DeleteTime = timestamppb.New(of.Deleted)
		x.ExpireTime = x.DeleteTime
		touch(x, of.Deleted)
	}
	if c.config.LogURI != nil {
		x.LogUri = c.config.LogURI(x.GetName())
	}
	x.Etag = Etag(x.GetName(), x.GetUpdateTime().AsTime())
	return x
}

// Texts and types of conditions of executions.
const (
	completedCondition = "Completed"
	cancellingMessage  = "Cancelling the execution."
)

// showCancelling shows that an execution is to be cancelled, before the
// scheduler knows.
func showCancelling(x *runpb.Execution, of note) {
	at := of.Cancelled
	if at.IsZero() {
		at = of.Deleted
	}
	for _, condition := range x.GetConditions() {
		if condition.GetType() == completedCondition && condition.GetExecutionReason() != runpb.Condition_CANCELLING {
			condition.State, condition.Message = runpb.Condition_CONDITION_PENDING, cancellingMessage
			condition.Reasons = &runpb.Condition_ExecutionReason_{ExecutionReason: runpb.Condition_CANCELLING}
			condition.LastTransitionTime = timestamppb.New(at)
			x.Generation, x.ObservedGeneration = 2, 2
			touch(x, at)
		}
	}
}

// touch makes the version of x no older than at.
func touch(x *runpb.Execution, at time.Time) {
	if x.GetUpdateTime().AsTime().Before(at) {
		x.UpdateTime = timestamppb.New(at)
	}
}

// completed is the condition that says how an execution ended.
func completed(x *runpb.Execution) *runpb.Condition {
	for _, condition := range x.GetConditions() {
		if condition.GetType() == completedCondition {
			return condition
		}
	}
	return nil
}

// ended reports whether an execution has come to its end.
func ended(x *runpb.Execution) bool { return x.GetCompletionTime() != nil }
