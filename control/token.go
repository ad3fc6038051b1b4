package control

import (
	"context"
	"time"

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
	x := n.child(n.id() + "-" + token)
	if p.Token != token {
		if err := c.startToken(ctx, job, x, token); err != nil {
			return err
		}
	}
	return c.awaitToken(ctx, x, wait)
}

// lookAgain is how often an execution is looked at that has not started yet:
// nobody tells when it has.
const lookAgain = 50 * time.Millisecond

// awaitToken waits for an execution to start or to succeed.
func (c *Control) awaitToken(ctx context.Context, n name, wait bool) error {
	for {
		changed := c.changes.listen(n.String())
		x, err := c.execution(ctx, n)
		switch {
		case isNotFound(err): // it was started once, and has been deleted
			return nil
		case err != nil:
			return err
		case !wait && x.GetStartTime() != nil:
			return nil
		case ended(x):
			if conditionError(completed(x)) != nil || completionStatus(x) == runpb.ExecutionReference_EXECUTION_CANCELLED {
				return wrongState("Execution '%s' did not succeed: %s", n.id(), completed(x).GetMessage())
			}
			return nil
		}
		var again <-chan time.Time
		if !wait {
			again = time.After(lookAgain)
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
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
