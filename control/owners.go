package control

import (
	"log/slog"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// What has revisions owns them: a service, or a worker pool. Below its calls this
// package knows services alone, and takes a worker pool for one that gets no
// requests: its instance splits are the traffic of that, the number of its
// instances a manual scaling. A name tells which of the two a service is, and
// what differs is asked of isPool; serviceOf and poolOf translate.

// isPool reports whether what is called full is a worker pool, or one's revision.
func isPool(full string) bool {
	at := split(full).at
	return at == atWorkerPool || at == atPoolRevision
}

// ownerLevel is the level of the owner that a name, which need not be one, leads
// to or through.
func ownerLevel(full string) level {
	if goesThrough(full, atWorkerPool) {
		return atWorkerPool
	}
	return atService
}

// goesThrough reports whether a name leads to a resource of a level right below
// locations, or through one.
func goesThrough(full string, l level) bool {
	parts := strings.SplitN(full, "/", 2*l.depth())
	return len(parts) == 2*l.depth() && parts[2*l.depth()-2] == levels[l].collection
}

// revisionLevel is the level of that owner's revisions.
func revisionLevel(full string) level {
	if ownerLevel(full) == atWorkerPool {
		return atPoolRevision
	}
	return atRevision
}

// ownerKind is what the records of the owners at a level are kept as.
func (l level) ownerKind() store.Kind {
	if l == atWorkerPool {
		return kindWorkerPools
	}
	return kindServices
}

// noun is what messages call the owner that n is, or leads through.
func (n name) noun() string {
	if n.at == atWorkerPool || n.at == atPoolRevision {
		return "worker pool"
	}
	return "service"
}

// logged is what logs say an entry is about that is about an owner. The keys are
// those of the fleet's entries.
func (n name) logged() slog.Attr {
	if n.at == atWorkerPool {
		return slog.String("workerPool", n.String())
	}
	return slog.String("service", n.String())
}

// revision is the name of what an owner called n calls its revision id.
func (n name) revision(id string) name {
	if n.at == atWorkerPool {
		return n.child(atPoolRevision, id)
	}
	return n.child(atRevision, id)
}

// owner is the name of what the revision called n belongs to.
func (n name) owner() name { return n.up(levels[n.at].above) }

// getService reads a service, or a worker pool as one; nil if there is none.
func getService(tx *store.Tx, name string) *runpb.Service {
	if isPool(name) {
		if w := get[runpb.WorkerPool](tx, kindWorkerPools, name); w != nil {
			return serviceOf(w)
		}
		return nil
	}
	return get[runpb.Service](tx, kindServices, name)
}

// putService keeps a service, or a worker pool, as the message that it is.
func putService(tx *store.Tx, s *runpb.Service) {
	at := split(s.GetName()).at
	var m proto.Message = s
	if at == atWorkerPool {
		m = poolOf(s)
	}
	tx.Put(at.ownerKind(), s.GetName(), s.GetCreateTime().AsTime(), marshal(m))
}

// as is a resource as the message that it is; nil where there is none.
func as[M resource](r resource) M {
	m, _ := r.(M)
	return m
}

// showOwner is a service, which is the caller's own, as clients see it: as what it
// is, with what is not stored with it.
func (c *Control) showOwner(s *runpb.Service) resource {
	if isPool(s.GetName()) {
		return showPool(poolOf(s))
	}
	return c.showService(s)
}
