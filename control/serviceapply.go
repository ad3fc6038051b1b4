package control

import (
	"context"
	"slices"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// applyService is a request for a service, or a worker pool, to be as it says.
type applyService struct {
	control *Control
	target  name
	// desire is the whole of what the request wants of a service that is old so
	// far, or nil: checked, and with all defaults. mask says which fields the
	// request is about; nil for all.
	desire func(old *runpb.Service) (*runpb.Service, error)
	mask   []string
	// create and update say which of the two is allowed.
	create, update bool
	etag           string
	// renew asks for a new revision, whatever has changed.
	renew bool
}

// applied is what a request makes of a service.
type applied struct {
	service  *runpb.Service
	note     serviceNote
	revision *runpb.Revision // nil if there is no new one
	of       revisionNote
}

// do carries the request out.
func (a applyService) do(ctx context.Context, validateOnly bool) (resource, *longrunningpb.Operation, error) {
	c := a.control
	if c.config.Fleet == nil {
		return nil, nil, wrongState("A %s is not possible: %v.", a.target.noun(), errNoFleet)
	}
	if validateOnly {
		return a.preview(ctx)
	}
	uid, existed, err := a.uid()
	if err != nil {
		return nil, nil, err
	}
	op := c.begin(verbApply, a.target, uid)
	var next applied
	var evicted []string
	err = c.update(ctx, func(tx *store.Tx) (err error) {
		old := getService(tx, a.target.String())
		if next, err = a.next(ctx, tx, old, uid); err != nil {
			return err
		}
		if existed != (old != nil) || next.service.GetUid() != uid {
			return status.Errorf(codes.Aborted, "Resource '%s' has just been replaced: try again.", a.target.id())
		}
		next.put(tx)
		evicted = c.evictTags(tx, a.target)
		op.put(tx)
		return nil
	}, func(err error) {
		op.settled(err)
		if c.stands(err, kindOperations, op.name) {
			c.projects.use(a.target.project(), c.ProjectNumber(a.target.project()))
			c.attendService(append(evicted, a.target.String())...)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	shown := c.showOwner(proto.CloneOf(next.service))
	return shown, op.message(shown), nil
}

// attendService has services and their revisions seen to, and tells those who
// wait for a change of them.
func (c *Control) attendService(services ...string) {
	c.changes.ring(services...)
	for _, service := range services {
		c.attention.call(service, c.tendService)
	}
}

// preview is what would become of the service; nothing is stored.
func (a applyService) preview(ctx context.Context) (_ resource, _ *longrunningpb.Operation, err error) {
	c := a.control
	var next applied
	err = c.view(func(tx *store.Tx) (err error) {
		next, err = a.next(ctx, tx, getService(tx, a.target.String()), newUID())
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	shown := c.showOwner(next.service)
	return shown, validated(a.target, shown), nil
}

// uid is that of the service, a new one if there is none.
func (a applyService) uid() (uid string, existed bool, err error) {
	err = a.control.view(func(tx *store.Tx) error {
		uid = getService(tx, a.target.String()).GetUid()
		return nil
	})
	if uid == "" {
		return newUID(), false, err
	}
	return uid, true, err
}

// next is what the request makes of the service old, which is nil if there is
// none.
func (a applyService) next(ctx context.Context, tx *store.Tx, old *runpb.Service, uid string) (n applied, err error) {
	if err := a.allowed(old); err != nil {
		return n, err
	}
	if n.service, err = a.desired(old); err != nil {
		return n, err
	}
	s := n.service
	s.LastModifier = caller(ctx)
	s.UpdateTime = after(old.GetUpdateTime())
	if old == nil {
		s.Uid, s.Generation, s.Creator, s.CreateTime = uid, 1, caller(ctx), s.UpdateTime
	} else {
		n.note = getServiceNote(tx, old.GetName())
		inherit(s, old)
	}
	if a.renews(old, s) {
		if old != nil && a.renew && sameServiceDesire(old, s) {
			s.Generation++
		}
		if n.revision, n.of, err = newRevision(ctx, tx, s); err != nil {
			return n, err
		}
		s.LatestCreatedRevision = n.revision.GetName()
	}
	if err := a.checkTargets(tx, s, n.revision); err != nil {
		return n, err
	}
	n.note.tag(s)
	serviceReconciling(s, n.revision)
	return n, nil
}

// allowed says why the request cannot be for the service old, which is nil if
// there is none.
func (a applyService) allowed(old *runpb.Service) error {
	switch {
	case old == nil && !a.create:
		return notFound(a.target)
	case old == nil:
		return nil
	case !a.update:
		return alreadyExists(a.target)
	}
	if err := checkEtag(old.GetName(), a.etag, old.GetUpdateTime().AsTime()); err != nil {
		return err
	}
	if old.GetDeleteTime() != nil {
		return beingDeleted(a.target)
	}
	return nil
}

// inherit has the service s be the successor of old.
func inherit(s, old *runpb.Service) {
	s.Uid, s.Creator, s.CreateTime = old.GetUid(), old.GetCreator(), old.GetCreateTime()
	s.Generation, s.ObservedGeneration = old.GetGeneration(), old.GetObservedGeneration()
	s.LatestCreatedRevision, s.LatestReadyRevision = old.GetLatestCreatedRevision(), old.GetLatestReadyRevision()
	s.TrafficStatuses, s.Conditions = old.GetTrafficStatuses(), old.GetConditions()
	s.TerminalCondition = old.GetTerminalCondition()
	if !sameServiceDesire(old, s) {
		s.Generation++
	}
}

// renews reports whether the service s, which was old, wants a new revision.
func (a applyService) renews(old, s *runpb.Service) bool {
	if old == nil || a.renew || s.GetLatestCreatedRevision() == "" {
		return true
	}
	return !sameTemplate(old.GetTemplate(), s.GetTemplate(), shortID(s.GetLatestCreatedRevision()))
}

// desired is the whole of what the request wants of the service.
func (a applyService) desired(old *runpb.Service) (*runpb.Service, error) {
	s, err := a.desire(old)
	// A name is that of one revision: it does not come back with the rest.
	if err == nil && old != nil && a.mask != nil && !slices.ContainsFunc(a.mask, coversRevisionName) &&
		!sameTemplate(old.GetTemplate(), s.GetTemplate(), s.GetTemplate().GetRevision()) {
		s.Template.Revision = ""
	}
	return s, err
}

// checkTargets says whether the revisions that the traffic names exist; created
// is the one about to.
func (a applyService) checkTargets(tx *store.Tx, s *runpb.Service, created *runpb.Revision) error {
	for i, t := range s.GetTraffic() {
		if t.GetRevision() == "" {
			continue
		}
		full := a.target.revision(t.GetRevision()).String()
		if full == created.GetName() {
			continue
		}
		if getRevision(tx, full) == nil || !getRevisionNote(tx, full).Deleted.IsZero() {
			return violation(targetPath(a.target, i)+".revision", "there is no revision %q of the %s", t.GetRevision(), a.target.noun())
		}
	}
	return nil
}

// put writes it all.
func (n applied) put(tx *store.Tx) {
	putService(tx, n.service)
	putServiceNote(tx, n.service, n.note)
	if n.revision != nil {
		putRevision(tx, n.revision)
		putRevisionNote(tx, n.revision, n.of)
	}
}
