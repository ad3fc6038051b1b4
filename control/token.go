package control

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/store"
)

// tokenExecution starts the execution that the job's token names, if it has not
// been before, and waits until it has started or, where the job asks for that,
// succeeded.
func (c *Control) tokenExecution(ctx context.Context, job *runpb.Job, p pin) error {
	token, wait := token(job)
	if token == "" {
		return nil
	}
	n := split(job.GetName())
	x := n.child(atExecution, n.id()+"-"+token)
	if p.Token != token {
		if err := c.startToken(ctx, job, x, token); err != nil {
			return err
		}
	}
	return c.awaitToken(ctx, x, wait)
}

// awaitToken waits for an execution to start or, with wait, to succeed.
func (c *Control) awaitToken(ctx context.Context, n name, wait bool) error {
	for {
		changed, leave := c.changes.listen(n.String())
		done, err := c.tokenServed(ctx, n, wait)
		if !done && err == nil {
			select {
			case <-changed:
			case <-c.begins(n, wait):
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		leave()
		if done || err != nil {
			return err
		}
	}
}

// begins is closed when an execution's first task has started; nil, which never
// is, if it is not with the scheduler yet, or is to succeed.
func (c *Control) begins(n name, wait bool) <-chan struct{} {
	r := c.runs.get(n.String())
	if wait || r == nil {
		return nil
	}
	return r.Begun()
}

// tokenServed reports whether an execution has started or, with wait, succeeded;
// an error says that it never will.
func (c *Control) tokenServed(ctx context.Context, n name, wait bool) (bool, error) {
	x, err := c.execution(ctx, n)
	switch {
	case isNotFound(err): // it was started once, and has been deleted
		return true, nil
	case err != nil:
		return false, err
	case !wait && x.GetStartTime() != nil:
		return true, nil
	case !ended(x):
		return false, nil
	case conditionError(completed(x)) != nil || completionStatus(x) == runpb.ExecutionReference_EXECUTION_CANCELLED:
		return false, wrongState("Execution '%s' did not succeed: %s", n.id(), completed(x).GetMessage())
	}
	return true, nil
}

// startToken starts the execution n of the job, unless there is one already,
// and remembers the token.
func (c *Control) startToken(ctx context.Context, job *runpb.Job, n name, token string) error {
	remember := func(tx *store.Tx) error {
		now := getJob(tx, job.GetName())
		if !sameVersion(now, job) {
			return errSuperseded
		}
		p := getPin(tx, job.GetName())
		p.Token = token
		putPin(tx, job, p)
		return nil
	}
	l, err := c.newLaunch(job, n.id(), job.GetLastModifier())
	if err != nil {
		return err
	}
	l.also = remember
	err = l.do(ctx)
	if isAlreadyExists(err) {
		return c.persist(ctx, remember)
	}
	return err
}
