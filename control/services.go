package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// CreateService stores a new service. It is ready, and the operation done, when
// its revision is and has the traffic.
func (c *Control) CreateService(ctx context.Context, r *runpb.CreateServiceRequest) (*runpb.Service, *longrunningpb.Operation, error) {
	parent, err := c.parse("parent", r.GetParent(), atLocation)
	if err != nil {
		return nil, nil, err
	}
	if err := checkParent(parent); err != nil {
		return nil, nil, err
	}
	id := r.GetServiceId()
	if id == "" {
		return nil, nil, violation("serviceId", "is missing: want the name of the service")
	}
	n := parent.child(atService, id)
	a := applyService{control: c, target: n, desire: c.wantsService(n, r.GetService(), nil, createServiceRequest), create: true}
	s, op, err := a.do(ctx, r.GetValidateOnly())
	return as[*runpb.Service](s), op, err
}

// newRevisionKey is where a context keeps that a new revision is wanted.
type newRevisionKey struct{}

// WithNewRevision says that UpdateService is to make a new revision, also where
// the template has not changed: a tag may mean another image by now.
func WithNewRevision(ctx context.Context) context.Context {
	return context.WithValue(ctx, newRevisionKey{}, true)
}

// UpdateService changes what is wanted of a service: the fields that the mask
// names, or all of them without one. Another template makes a new revision. With
// allow_missing a service that does not exist is created.
func (c *Control) UpdateService(ctx context.Context, r *runpb.UpdateServiceRequest) (*runpb.Service, *longrunningpb.Operation, error) {
	n, err := c.parseOne("service.name", r.GetService().GetName(), atService)
	if err != nil {
		return nil, nil, err
	}
	if err := checkParent(n.up(atLocation)); err != nil {
		return nil, nil, err
	}
	renew, _ := ctx.Value(newRevisionKey{}).(bool)
	mask := maskPaths(r.GetUpdateMask().GetPaths())
	a := applyService{
		control: c, target: n, desire: c.wantsService(n, r.GetService(), mask, updateServiceRequest), mask: mask,
		create: r.GetAllowMissing(), update: true, etag: r.GetService().GetEtag(), renew: renew,
	}
	s, op, err := a.do(ctx, r.GetValidateOnly())
	return as[*runpb.Service](s), op, err
}

// Service is a service as it stands. Its location may be "-", if no other one
// has a service of that id.
func (c *Control) Service(_ context.Context, name string) (*runpb.Service, error) {
	s, err := c.findService(name, atService)
	if err != nil {
		return nil, err
	}
	return c.showService(s), nil
}

// findService reads the only service, or worker pool, that a name of a level,
// which may have "-" in it, is one of.
func (c *Control) findService(name string, at level) (*runpb.Service, error) {
	n, err := c.parse("name", name, at)
	if err != nil {
		return nil, err
	}
	if n, err = c.only(at.ownerKind(), n); err != nil {
		return nil, err
	}
	return c.readService(n)
}

// only finds the only record of a kind that n, which may have "-" in it, is a
// name of.
func (c *Control) only(kind store.Kind, n name) (name, error) {
	if !n.wild() {
		return n, nil
	}
	found, err := c.named(kind, n, 2)
	if err != nil {
		return n, err
	}
	if len(found) != 1 {
		return n, notFound(n)
	}
	return found[0], nil
}

// readService reads a service as it is stored.
func (c *Control) readService(n name) (s *runpb.Service, err error) {
	err = c.view(func(tx *store.Tx) error {
		if s = getService(tx, n.String()); s == nil {
			return notFound(n)
		}
		return nil
	})
	return s, err
}

// Services is a page of the services of a location, the newest first.
func (c *Control) Services(_ context.Context, q Query[*runpb.Service]) (items []*runpb.Service, next string, err error) {
	parent, err := c.parse("parent", q.Parent, atLocation)
	if err != nil {
		return nil, "", err
	}
	return page(c, kindServices, parent, q, func(f found) (*runpb.Service, error) {
		s := &runpb.Service{}
		if err := proto.Unmarshal(f.value, s); err != nil {
			return nil, notFound(split(f.name))
		}
		return c.showService(s), nil
	})
}
