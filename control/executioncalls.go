package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/store"
)

// CancelExecution has an execution end: what runs of it gets SIGTERM and 10 s
// later SIGKILL, the rest never runs. The operation is done when it has ended.
func (c *Control) CancelExecution(ctx context.Context, r *runpb.CancelExecutionRequest) (*runpb.Execution, *longrunningpb.Operation, error) {
	change := executionChange{control: c, verb: verbCancel, etag: r.GetEtag(), validateOnly: r.GetValidateOnly()}
	return change.do(ctx, r.GetName(), func(x *runpb.Execution, of *note) error {
		switch {
		case ended(x):
			return wrongState("Execution '%s' is not running: it has ended already.", split(x.GetName()).id())
		case !of.Deleted.IsZero():
			return beingDeleted(split(x.GetName()))
		}
		if of.Cancelled.IsZero() {
			of.Cancelled = now()
		}
		return nil
	})
}

// DeleteExecution removes an execution with its tasks and its logs. One that
// runs is cancelled first. The operation is done when nothing is left.
func (c *Control) DeleteExecution(ctx context.Context, r *runpb.DeleteExecutionRequest) (*runpb.Execution, *longrunningpb.Operation, error) {
	change := executionChange{control: c, verb: verbDelete, etag: r.GetEtag(), validateOnly: r.GetValidateOnly()}
	return change.do(ctx, r.GetName(), func(_ *runpb.Execution, of *note) error {
		if of.Deleted.IsZero() {
			of.Deleted = now()
		}
		return nil
	})
}

// executionChange is a request for an execution to come to its end.
type executionChange struct {
	control      *Control
	verb         verb
	etag         string
	validateOnly bool
}

// do stores what note becomes by change, and has it acted upon.
func (e executionChange) do(ctx context.Context, full string, change func(*runpb.Execution, *note) error) (*runpb.Execution, *longrunningpb.Operation, error) {
	c := e.control
	n, err := c.parseOne("name", full, atExecution)
	if err != nil {
		return nil, nil, err
	}
	x, err := c.execution(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	if err := checkEtag(n.String(), e.etag, x.GetUpdateTime().AsTime()); err != nil {
		return nil, nil, err
	}
	if e.validateOnly {
		if err := change(x, &note{}); err != nil {
			return nil, nil, err
		}
		return x, validated(n, x), nil
	}
	return e.store(ctx, x, change)
}

// store makes the change of the execution x durable.
func (e executionChange) store(ctx context.Context, x *runpb.Execution, change func(*runpb.Execution, *note) error) (*runpb.Execution, *longrunningpb.Operation, error) {
	c, n := e.control, split(x.GetName())
	op := c.begin(e.verb, n, x.GetUid())
	var of note
	err := c.update(ctx, func(tx *store.Tx) error {
		stored := getExecution(tx, n.String())
		if stored.GetUid() != x.GetUid() {
			return notFound(n)
		}
		of = getNote(tx, n.String())
		if err := change(stored, &of); err != nil {
			return err
		}
		putNote(tx, stored, of)
		op.put(tx)
		return nil
	}, func(err error) {
		op.settled(err)
		if c.stands(err, kindOperations, op.name) {
			c.attention.call(n.String(), c.tendExecution)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	x = c.show(x, of)
	return x, op.message(x), nil
}
