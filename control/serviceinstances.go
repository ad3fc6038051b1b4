package control

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/scheduler/serving"
	"runnel/store"
)

// ServiceInstance is one instance that a revision has or had.
type ServiceInstance struct {
	// ID is the instance's, PublicID what its metadata server and its logs call
	// it. Revision is the full name of its revision.
	ID, PublicID, Revision string
	// Containers are the names of its containers, in their order; logs are kept
	// for each.
	Containers []string
	// Live says that there may come more of it.
	Live bool
}

// ServiceInstances are the instances of a service or a worker pool, or of a
// revision, by its full name, the newest first; the owner's id in a revision's
// name may be "-".
func (c *Control) ServiceInstances(_ context.Context, name string) ([]ServiceInstance, error) {
	n, err := c.serviceOrRevision(name)
	if err != nil {
		return nil, err
	}
	all, revisions, err := c.instancesBelow(n)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b serving.Record) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	var list []ServiceInstance
	for _, x := range all {
		r := revisions[x.Revision]
		if r == nil {
			continue // removed a moment ago
		}
		list = append(list, ServiceInstance{
			ID:         x.ID,
			PublicID:   serving.PublicID(r.GetUid(), x.ID),
			Revision:   x.Revision,
			Containers: containerNames(r),
			Live:       x.Ended.IsZero(),
		})
	}
	return list, nil
}

// serviceOrRevision finds the only service, worker pool or revision that a name,
// which may have "-" in it, is one of.
func (c *Control) serviceOrRevision(name string) (n name, err error) {
	at := ownerLevel(name)
	kind := at.ownerKind()
	if strings.Contains(name, "/"+levels[atRevision].collection+"/") {
		at, kind = revisionLevel(name), kindRevisions
	}
	if n, err = c.parse("name", name, at); err != nil {
		return n, err
	}
	return c.only(kind, n)
}

// instancesBelow are the records of the instances of what has revisions or is one,
// and the revisions, by full name.
func (c *Control) instancesBelow(n name) (all []serving.Record, revisions map[string]*runpb.Revision, err error) {
	revisions = make(map[string]*runpb.Revision)
	err = c.view(func(tx *store.Tx) error {
		kind := n.at.ownerKind()
		if n.at == atRevision || n.at == atPoolRevision {
			kind = kindRevisions
		}
		if tx.Get(kind, n.String()) == nil {
			return notFound(n)
		}
		for _, x := range instancesOf(tx, n.String()) {
			if _, seen := revisions[x.Revision]; !seen {
				revisions[x.Revision] = getRevision(tx, x.Revision)
			}
			all = append(all, x)
		}
		return nil
	})
	return all, revisions, err
}

// readInstances reads the records of the instances of a revision.
func (c *Control) readInstances(revision string) (all []serving.Record, r *runpb.Revision, err error) {
	err = c.view(func(tx *store.Tx) error {
		all, r = instancesOf(tx, revision), getRevision(tx, revision)
		return nil
	})
	return all, r, err
}

// instanceEnded has the records of a revision's instances cut down, when one of
// them has ended. It does not wait.
func (c *Control) instanceEnded(revision string) {
	c.attention.again(revision+"/instances", c.pruneInstances)
}

// pruneInstances forgets the instances of a revision that have ended first, and
// what they have written, beyond the number of those to be kept.
func (c *Control) pruneInstances(_ context.Context, name string) {
	revision := strings.TrimSuffix(name, "/instances")
	var all []serving.Record
	var r *runpb.Revision
	// Unlike a view this also sees what is on its way to the disk.
	err := c.persist(c.ctx, func(tx *store.Tx) error {
		all, r = instancesOf(tx, revision), getRevision(tx, revision)
		return nil
	})
	if err == nil {
		all = slices.DeleteFunc(all, func(x serving.Record) bool { return x.Ended.IsZero() })
		slices.SortFunc(all, func(a, b serving.Record) int { return b.Ended.Compare(a.Ended) })
		err = c.forgetInstances(all[min(len(all), c.config.KeepInstances):], len(r.GetContainers()))
	}
	if err != nil && c.ctx.Err() == nil {
		c.config.Logger.Warn("cannot forget instances that have ended", "revision", revision, "err", err)
	}
}

// forgetInstances removes instances, first what they have written.
func (c *Control) forgetInstances(all []serving.Record, containers int) error {
	if len(all) == 0 {
		return nil
	}
	for _, x := range all {
		if err := c.removeLogsOf(x.ID, containers); err != nil {
			return err
		}
	}
	return c.persist(c.ctx, func(tx *store.Tx) error {
		for _, x := range all {
			tx.Delete(kindInstances, instanceRecord(x.Revision, x.ID))
		}
		return nil
	})
}

// containerNames are what the containers of a revision are called where they
// are told apart.
func containerNames(r *runpb.Revision) []string {
	names := make([]string, len(r.GetContainers()))
	for i, k := range r.GetContainers() {
		names[i] = contract.ContainerName(k.GetName(), k.GetImage(), i, len(names))
	}
	return names
}
