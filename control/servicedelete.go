package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// DeleteService deletes a service with its revisions. It takes no request from
// then on; the operation is done when nothing is left.
func (c *Control) DeleteService(ctx context.Context, r *runpb.DeleteServiceRequest) (*runpb.Service, *longrunningpb.Operation, error) {
	gone, op, err := c.deleteService(ctx, r, atService)
	return as[*runpb.Service](gone), op, err
}

// deleteRequest asks for a resource to be deleted.
type deleteRequest interface {
	GetName() string
	GetEtag() string
	GetValidateOnly() bool
}

// deleteService deletes what a level of names leads to: a service, or a worker
// pool.
func (c *Control) deleteService(ctx context.Context, r deleteRequest, at level) (resource, *longrunningpb.Operation, error) {
	n, err := c.parseOne("name", r.GetName(), at)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.readService(n)
	if err != nil {
		return nil, nil, err
	}
	if err := checkEtag(n.String(), r.GetEtag(), s.GetUpdateTime().AsTime()); err != nil {
		return nil, nil, err
	}
	if r.GetValidateOnly() {
		shown := c.showOwner(s)
		return shown, validated(n, shown), nil
	}
	return c.markServiceDeleted(ctx, s, r.GetEtag())
}

// markServiceDeleted stores that a service is to be deleted, if it still has the
// etag that the caller has seen, and has it removed.
func (c *Control) markServiceDeleted(ctx context.Context, s *runpb.Service, etag string) (resource, *longrunningpb.Operation, error) {
	n := split(s.GetName())
	op := c.begin(verbDelete, n, s.GetUid())
	var next *runpb.Service
	err := c.update(ctx, func(tx *store.Tx) error {
		if next = getService(tx, n.String()); next.GetUid() != s.GetUid() {
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
		putService(tx, next)
		op.put(tx)
		return nil
	}, func(err error) {
		op.settled(err)
		if c.stands(err, kindOperations, op.name) {
			c.attendService(n.String())
		}
	})
	if err != nil {
		return nil, nil, err
	}
	shown := c.showOwner(proto.CloneOf(next))
	return shown, op.message(shown), nil
}

// tearDownService removes a service when its revisions are gone, which it sees
// to.
func (c *Control) tearDownService(ctx context.Context, s standing) error {
	full := s.service.GetName()
	if err := c.reroute(full); err != nil {
		return err
	}
	for {
		changed, leave := c.changes.listen(full)
		gone, err := c.takeServiceApart(ctx, full)
		if !gone && err == nil {
			select {
			case <-changed:
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		leave()
		if gone || err != nil {
			return err
		}
	}
}

// takeServiceApart removes a service if it has no revisions any more. If it has,
// all are to be deleted.
func (c *Control) takeServiceApart(ctx context.Context, full string) (gone bool, err error) {
	s, err := c.readStanding(full)
	switch {
	case err != nil || s.service == nil:
		return err == nil, err
	case len(s.revisions) == 0:
		err := c.removeService(ctx, s.service)
		return err == nil, err
	}
	var names []string
	for _, r := range s.revisions {
		if r.note.Deleted.IsZero() {
			names = append(names, r.GetName())
		} else {
			c.attention.again(r.GetName(), c.tendRevision)
		}
	}
	return false, c.markRevisionsDeleted(ctx, names)
}

// removeService removes a service that has no revisions.
func (c *Control) removeService(ctx context.Context, s *runpb.Service) error {
	full := s.GetName()
	var done []string
	err := c.persist(ctx, func(tx *store.Tx) error {
		if getService(tx, full).GetUid() != s.GetUid() {
			return errSuperseded
		}
		tx.Delete(split(full).at.ownerKind(), full)
		tx.Delete(kindServiceNotes, full)
		tx.Delete(kindPolicies, full)
		done = c.finish(tx, end{target: c.showOwner(proto.CloneOf(s)), removed: true})
		return nil
	})
	if err != nil {
		return err
	}
	c.config.Logger.Info(split(full).noun()+" is removed", split(full).logged())
	c.finished(s.GetUid(), done)
	c.changes.ring(full)
	c.collect() // what it named was kept until now
	return nil
}
