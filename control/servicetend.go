package control

import (
	"context"
	"errors"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/scheduler/serving"
	"runnel/store"
)

// tendService brings about what is wanted of a service, as far as its revisions
// allow: it has them seen to, gives the ready ones their traffic, and says how
// the service stands. It returns when nothing is left to do, or ctx has ended;
// a revision that gets ready or cannot be has it called again.
func (c *Control) tendService(ctx context.Context, service string) {
	for ctx.Err() == nil {
		s, err := c.readStanding(service)
		switch {
		case err == nil && s.service == nil:
			return
		case err == nil && s.service.GetDeleteTime() != nil:
			err = c.tearDownService(ctx, s)
		case err == nil:
			err = c.converge(ctx, s)
		}
		if err == nil || ctx.Err() != nil || errors.Is(err, errSuperseded) {
			return // who has changed it has it looked at again
		}
		c.config.Logger.Error("cannot go on with a "+split(service).noun(), split(service).logged(), "err", err)
		wait(ctx, retryDisk)
	}
}

// readStanding reads a service with its revisions; its service is nil if there
// is none.
func (c *Control) readStanding(service string) (s standing, err error) {
	err = c.view(func(tx *store.Tx) error {
		s = getStanding(tx, service)
		return nil
	})
	return s, err
}

// getStanding reads a service with its revisions.
func getStanding(tx *store.Tx, service string) (s standing) {
	if s.service = getService(tx, service); s.service == nil {
		return s
	}
	s.note = getServiceNote(tx, service)
	for e := range tx.Under(kindRevisions, service+"/") {
		if r := getRevision(tx, e.Name); r != nil {
			s.revisions = append(s.revisions, servedRevision{r, getRevisionNote(tx, e.Name)})
		}
	}
	slices.SortFunc(s.revisions, func(a, b servedRevision) int {
		return b.GetCreateTime().AsTime().Compare(a.GetCreateTime().AsTime())
	})
	return s
}

// converge brings a service as far as its revisions allow.
func (c *Control) converge(ctx context.Context, s standing) error {
	for _, r := range s.revisions {
		switch {
		case c.isStopped(s, r):
			c.attention.call(r.GetName(), c.tendRevision)
		case c.needsAttention(r):
			c.attention.again(r.GetName(), c.tendRevision)
		}
	}
	routes, unready := s.routes("")
	if unready != nil {
		routes = s.note.Routes // until all that is wanted can be had
	}
	if !slices.Equal(routes, s.note.Routes) || isPool(s.service.GetName()) && s.service.GetReconciling() {
		if err := c.shift(ctx, &s, routes); err != nil {
			return err
		}
	}
	// Also where nothing moves, settings may have changed.
	if err := c.reroute(s.service.GetName()); err != nil {
		return err
	}
	c.rescale(s, s.note.Routes)
	if !slices.Equal(routes, s.note.Routes) {
		return nil // a revision is on its way back; who brings it has this looked at again
	}
	if err := c.settleService(ctx, s, unready); err != nil {
		return err
	}
	return c.markRevisionsDeleted(ctx, s.surplus(c.config.KeepRevisions))
}

// needsAttention reports whether there is something to do for a revision.
func (c *Control) needsAttention(r servedRevision) bool {
	has := c.kept.has(r.GetName())
	return isPending(r.Revision) || !r.note.Deleted.IsZero() || isReady(r.Revision) && !has || isBroken(r.Revision) && has
}

// shift moves the traffic of a service: ready, then swap, then drain. Revisions
// that gain requests have the instances that they are to have at least before
// the first of these comes. Nothing moves while the fleet lacks one of them.
func (c *Control) shift(ctx context.Context, s *standing, routes []route) error {
	n := split(s.service.GetName())
	before, scales := s.scales(s.note.Routes), s.scales(routes)
	for _, id := range sharedRevisions(routes) {
		full := n.revision(id).String()
		if !c.kept.has(full) {
			return nil // it is on its way back
		}
		if least(scales[id]) < least(before[id]) {
			continue // what it has too many goes when the others are there
		}
		c.config.Fleet.SetScale(full, scales[id])
		if !wantsInstances(scales[id]) || scales[id].Yield > 0 {
			continue // nobody waits for those that may have made way
		}
		if err := c.warm(ctx, s.revision(id)); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if slices.Equal(routes, s.note.Routes) {
		return nil // only numbers have changed
	}
	err := c.persist(ctx, func(tx *store.Tx) error {
		now := getService(tx, s.service.GetName())
		if !sameServiceVersion(now, s.service) {
			return errSuperseded
		}
		for _, id := range sharedRevisions(routes) {
			if of := getRevisionNote(tx, n.revision(id).String()); !of.Deleted.IsZero() {
				return errSuperseded
			}
		}
		of := getServiceNote(tx, now.GetName())
		of.Routes = routes
		putServiceNote(tx, now, of)
		return nil
	})
	if err == nil {
		s.note.Routes = routes
		c.config.Logger.Info("shares have moved", n.logged(), "to", sharedRevisions(routes))
	}
	return err
}

// warm waits until a revision that is ready has as many instances as it is to have
// at least. What keeps it from that keeps no traffic from it, unless these are the
// first that it has at all.
func (c *Control) warm(ctx context.Context, r *servedRevision) error {
	err := c.awaitMinimum(ctx, r.GetName())
	if ctx.Err() != nil {
		return nil // and whoever asks sees that
	}
	if err != nil {
		c.config.Logger.Warn("not all instances could be started ahead", "revision", r.GetName(), "err", err)
	}
	if isUntried(r.Revision) && (err == nil || errors.As(err, new(*serving.StartError))) {
		return c.tried(ctx, r, err)
	}
	return nil
}

// awaitMinimum waits for the minimum of a revision's instances, but not for long.
func (c *Control) awaitMinimum(ctx context.Context, revision string) error {
	bound, cancel := context.WithTimeoutCause(ctx, c.config.WarmTime, errDeadline)
	defer cancel()
	return c.config.Fleet.Warm(bound, revision)
}

// sameServiceVersion reports whether a service is still the one that was read.
func sameServiceVersion(now, read *runpb.Service) bool {
	return now != nil && now.GetUid() == read.GetUid() && now.GetUpdateTime().AsTime().Equal(read.GetUpdateTime().AsTime())
}

// settleService stores how a service stands, unless that is stored already or it
// has been changed in the meantime.
func (c *Control) settleService(ctx context.Context, s standing, unready *unreadyError) error {
	next := s.outcome(unready)
	var done, changed []string
	err := c.persist(ctx, func(tx *store.Tx) error {
		now := getService(tx, s.service.GetName())
		if !sameServiceVersion(now, s.service) {
			return errSuperseded
		}
		changed = s.settleRevisions(tx)
		done = nil
		if proto.Equal(next, now) {
			return nil
		}
		stamped := proto.CloneOf(next)
		stamped.UpdateTime = after(now.GetUpdateTime())
		stampConditions(now, stamped)
		putService(tx, stamped)
		changed = append(changed, now.GetName())
		if !stamped.GetReconciling() {
			done = c.finish(tx, end{target: c.showOwner(proto.CloneOf(stamped))})
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.finished(s.service.GetUid(), done)
	c.changes.ring(changed...)
	return nil
}
