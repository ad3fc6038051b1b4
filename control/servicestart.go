package control

import (
	"context"
	"errors"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/scheduler/serving"
	"runnel/store"
)

// resumeServices hands the revisions of services back to the fleet, with the
// instances that they may still have, and has requests served as they were. Then
// all that is not finished goes on.
func (c *Control) resumeServices(ctx context.Context, services []string) error {
	if c.config.Fleet == nil {
		return nil
	}
	c.config.Journal.follow(c.instanceEnded)
	for _, service := range services {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := c.resumeService(service); err != nil {
			// And nothing to keep the others from going on.
			c.config.Logger.Error("cannot go on with a "+split(service).noun(), split(service).logged(), "err", err)
		}
	}
	for _, service := range services {
		c.attention.call(service, c.tendService)
	}
	return nil
}

// resumeService hands the revisions of a service back to the fleet.
func (c *Control) resumeService(service string) error {
	s, err := c.readStanding(service)
	if err != nil || s.service == nil {
		return err
	}
	scales := s.scales(s.note.Routes)
	var errs []error
	for _, r := range s.revisions {
		errs = append(errs, c.resumeRevision(r, scales[r.id()]))
	}
	return errors.Join(append(errs, c.reroute(service))...)
}

// resumeRevision hands a revision back to the fleet, if its images are there. One
// whose images are not has to wait for them; one that cannot be ready is not to
// be had any more.
func (c *Control) resumeRevision(r servedRevision, scale serving.Scale) error {
	if images, ok := c.localImages(r.note); ok && !isBroken(r.Revision) {
		return c.keep(r.Revision, images, scale)
	}
	if isBroken(r.Revision) {
		c.abandonInstances(r.Revision)
	}
	return nil
}

// abandonInstances notes that the instances of a revision have ended which an
// earlier process has left: nobody asks for them any more, so they are ended.
func (c *Control) abandonInstances(r *runpb.Revision) {
	at := now()
	c.config.Store.Append(func(tx *store.Tx) {
		for _, x := range pastOf(tx, r.GetName()) {
			x.Ended = at
			write(tx, kindInstances, instanceRecord(x.Revision, x.ID), x.Created, x)
		}
	})
}
