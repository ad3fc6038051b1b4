package control

import (
	"context"
	"fmt"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/scheduler/serving"
	"runnel/store"
)

// DeleteRevision deletes a revision, of a service or a worker pool, that has no
// share of the traffic or the instances and is not the latest.
func (c *Control) DeleteRevision(ctx context.Context, r *runpb.DeleteRevisionRequest) (*runpb.Revision, *longrunningpb.Operation, error) {
	n, err := c.parseOne("name", r.GetName(), revisionLevel(r.GetName()))
	if err != nil {
		return nil, nil, err
	}
	var revision *runpb.Revision
	err = c.view(func(tx *store.Tx) (err error) {
		revision, err = getUnused(tx, n, r.GetEtag())
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if r.GetValidateOnly() {
		revision = c.showRevision(revision)
		return revision, validated(n, revision), nil
	}
	op := c.begin(verbDelete, n, revision.GetUid())
	err = c.update(ctx, func(tx *store.Tx) (err error) {
		if revision, err = getUnused(tx, n, r.GetEtag()); err != nil {
			return err
		}
		if revision.GetUid() != op.UID {
			return notFound(n)
		}
		markRevisionDeleted(tx, revision, getRevisionNote(tx, n.String()))
		op.put(tx)
		return nil
	}, func(err error) {
		op.settled(err)
		if c.stands(err, kindOperations, op.name) {
			c.attention.call(n.String(), c.tendRevision)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	shown := c.showRevision(proto.CloneOf(revision))
	return shown, op.message(shown), nil
}

// getUnused reads a revision that may be deleted, if it has the etag that the
// caller has seen.
func getUnused(tx *store.Tx, n name, etag string) (*runpb.Revision, error) {
	r := getRevision(tx, n.String())
	if r == nil {
		return nil, notFound(n)
	}
	if err := checkEtag(n.String(), etag, r.GetUpdateTime().AsTime()); err != nil {
		return nil, err
	}
	return r, checkUnused(tx, n)
}

// checkUnused says why a revision must stay.
func checkUnused(tx *store.Tx, n name) error {
	service := n.owner().String()
	s := getService(tx, service)
	switch n.String() {
	case s.GetLatestCreatedRevision():
		return wrongState("Revision '%s' cannot be deleted: it is the latest one of its %s.", n.id(), n.noun())
	case s.GetLatestReadyRevision():
		return wrongState("Revision '%s' cannot be deleted: it is the latest one of its %s that is ready.", n.id(), n.noun())
	}
	serving := false
	for _, r := range getServiceNote(tx, service).Routes {
		serving = serving || r.Revision == n.id()
	}
	for _, t := range s.GetTraffic() {
		serving = serving || t.GetRevision() == n.id()
	}
	switch {
	case serving && n.at == atPoolRevision:
		return wrongState("Revision '%s' cannot be deleted: it has a share of the instances.", n.id())
	case serving:
		return wrongState("Revision '%s' cannot be deleted: it is serving traffic, or has a tag.", n.id())
	}
	return nil
}

// markRevisionDeleted notes that a revision is to be deleted.
func markRevisionDeleted(tx *store.Tx, r *runpb.Revision, of revisionNote) {
	if of.Deleted.IsZero() {
		r.UpdateTime = after(r.GetUpdateTime())
		of.Deleted = r.GetUpdateTime().AsTime()
	}
	r.DeleteTime = timestamppb.New(of.Deleted)
	r.ExpireTime = r.DeleteTime
	putRevision(tx, r)
	putRevisionNote(tx, r, of)
}

// markRevisionsDeleted has revisions deleted on nobody's behalf.
func (c *Control) markRevisionsDeleted(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	err := c.persist(ctx, func(tx *store.Tx) error {
		for _, full := range names {
			n := split(full)
			torn := getService(tx, n.owner().String()).GetDeleteTime() != nil
			if r := getRevision(tx, full); r != nil && (torn || checkUnused(tx, n) == nil) {
				markRevisionDeleted(tx, r, getRevisionNote(tx, full))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, full := range names {
		c.attention.call(full, c.tendRevision)
	}
	return nil
}

// removeRevision takes away a revision: its instances, then what they have
// written, so that nothing is left of it when nobody knows it any more.
func (c *Control) removeRevision(ctx context.Context, r servedRevision) error {
	full := r.GetName()
	if err := c.dropRevision(ctx, full); err != nil {
		return err
	}
	if err := c.removeInstanceLogs(ctx, full); err != nil {
		return err
	}
	var done []string
	err := c.persist(ctx, func(tx *store.Tx) error {
		now := getRevision(tx, full)
		if now.GetUid() != r.GetUid() {
			return errSuperseded
		}
		for e := range tx.Under(kindInstances, full+"/") {
			tx.Delete(kindInstances, e.Name)
		}
		tx.Delete(kindRevisions, full)
		tx.Delete(kindRevisionNotes, full)
		done = c.finish(tx, end{target: c.showRevision(now), removed: true})
		return nil
	})
	if err != nil {
		return err
	}
	c.config.Logger.Info("revision is removed", "revision", full)
	c.finished(r.GetUid(), done)
	c.changes.ring(full, split(full).owner().String())
	c.collect()
	return nil
}

// removeInstanceLogs removes what the instances of a revision have written.
func (c *Control) removeInstanceLogs(ctx context.Context, revision string) error {
	all, r, err := c.readInstances(revision)
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := c.removeLogsOf(x.ID, len(r.GetContainers())); err != nil {
			return err
		}
	}
	return nil
}

// removeLogsOf removes what the containers of an instance have written.
func (c *Control) removeLogsOf(instance string, containers int) error {
	if c.config.RemoveLogs == nil {
		return nil
	}
	for i := range containers {
		id := serving.ContainerID(instance, i)
		if err := c.config.RemoveLogs(id); err != nil {
			return fmt.Errorf("logs of instance %s: %w", id, err)
		}
	}
	return nil
}
