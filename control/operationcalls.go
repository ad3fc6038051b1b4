package control

import (
	"context"
	"strings"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/store"
)

// maxOperationsPage is how many operations a page has at most.
// Source: run.v2 discovery document, operations.list.
const maxOperationsPage = 100

// Operation is an operation as it stands. Those that are done are kept for a
// day, if they are not more than 10,000; Config may say otherwise.
func (c *Control) Operation(ctx context.Context, name string) (*longrunningpb.Operation, error) {
	name, err := c.operationName(name)
	if err != nil {
		return nil, err
	}
	return c.operation(ctx, name)
}

// operationName checks the name of an operation and turns a project's number in
// it into its id.
func (c *Control) operationName(s string) (string, error) {
	if !isOperation(s) {
		return "", violation("name", "%q is not the name of an operation: want %s/operations/OPERATION", s, pattern(atLocation))
	}
	parts := strings.SplitN(s, "/", 3)
	return parts[0] + "/" + c.ProjectID(parts[1]) + "/" + parts[2], nil
}

// operation reads an operation. While it is not done, its metadata is the target
// as it stands.
func (c *Control) operation(ctx context.Context, name string) (*longrunningpb.Operation, error) {
	for again := true; ; again = false {
		o, err := c.readOperation(name)
		if err != nil {
			return nil, err
		}
		if o.Done {
			return o.message(name, nil), nil
		}
		target, err := c.target(ctx, o)
		switch {
		case err == nil:
			return o.message(name, target), nil
		case !isNotFound(err) || !again:
			return nil, err
		}
		// It was removed between the two, so that the operation is done now.
	}
}

// noOperation says that no operation is called name.
func noOperation(name string) error {
	return status.Errorf(codes.NotFound, "Operation '%s' does not exist.", name)
}

// readOperation reads an operation as it is stored.
func (c *Control) readOperation(name string) (o operation, err error) {
	err = c.view(func(tx *store.Tx) error {
		var ok bool
		if o, ok = getOperation(tx, name); !ok {
			return noOperation(name)
		}
		return nil
	})
	return o, err
}

// target is what an operation is done to, as it stands.
func (c *Control) target(ctx context.Context, o operation) (resource, error) {
	n := split(o.Target)
	var found resource
	var err error
	switch n.at {
	case atJob:
		found, err = c.job(ctx, n)
	case atService:
		found, err = c.Service(ctx, o.Target)
	case atWorkerPool:
		found, err = c.WorkerPool(ctx, o.Target)
	case atRevision, atPoolRevision:
		found, err = c.Revision(ctx, o.Target)
	default:
		found, err = c.execution(ctx, n)
	}
	if err == nil && found.GetUid() != o.UID {
		err = notFound(n) // another one, of the same name
	}
	return found, err
}

// Operations are the operations of a location, the newest first: all, or with
// filter "done:true" or "done:false" those of them. A page has at most 100.
func (c *Control) Operations(ctx context.Context, parent, filter string, pageSize int, pageToken string) (items []*longrunningpb.Operation, next string, err error) {
	at, err := c.parse("name", strings.TrimSuffix(parent, "/operations"), atLocation)
	if err != nil {
		return nil, "", err
	}
	match, err := operationFilter(filter)
	if err != nil {
		return nil, "", err
	}
	q := Query[*longrunningpb.Operation]{Parent: parent, PageSize: pageSize, PageToken: pageToken, Match: match, Text: filter}
	if q.PageSize == 0 || q.PageSize > maxOperationsPage {
		q.PageSize = maxOperationsPage
	}
	return page(c, kindOperations, at, q, func(f found) (*longrunningpb.Operation, error) {
		return c.operation(ctx, f.name)
	})
}

// operationFilter reads the filter of a list of operations.
func operationFilter(filter string) (match func(*longrunningpb.Operation) bool, err error) {
	switch strings.Map(withoutSpace, filter) {
	case "":
		return nil, nil
	case "done:true", "done=true":
		return (*longrunningpb.Operation).GetDone, nil
	case "done:false", "done=false":
		return func(o *longrunningpb.Operation) bool { return !o.GetDone() }, nil
	}
	return nil, violation("filter", "%q is not a filter: want done:true, done:false, or none", filter)
}

func withoutSpace(r rune) rune {
	if r == ' ' {
		return -1
	}
	return r
}

// WaitOperation returns the operation once it is done or timeout has passed, as
// it then stands. A timeout of 0 is as long as ctx allows.
func (c *Control) WaitOperation(ctx context.Context, name string, timeout time.Duration) (*longrunningpb.Operation, error) {
	name, err := c.operationName(name)
	if err != nil {
		return nil, err
	}
	var passed <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		passed = timer.C
	}
	done, leave := c.changes.listen(name)
	defer leave()
	if o, err := c.operation(ctx, name); err != nil || o.GetDone() {
		return o, err
	}
	select {
	case <-done:
	case <-passed:
	case <-ctx.Done():
		return nil, contextError(ctx)
	case <-c.ctx.Done():
		return nil, unavailable(errClosed)
	}
	return c.operation(ctx, name)
}

// DeleteOperation forgets an operation. What it does goes on.
func (c *Control) DeleteOperation(ctx context.Context, name string) error {
	name, err := c.operationName(name)
	if err != nil {
		return err
	}
	var o operation
	return c.update(ctx, func(tx *store.Tx) (err error) {
		var ok bool
		if o, ok = getOperation(tx, name); !ok {
			return noOperation(name)
		}
		tx.Delete(kindOperations, name)
		return nil
	}, func(err error) {
		if err == nil {
			c.operations.unexpect(name, o.UID)
			c.changes.ring(name)
		}
	})
}
