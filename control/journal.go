package control

import (
	"sync"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/scheduler"
	"runnel/scheduler/serving"
	"runnel/store"
)

// Journal is the journal of the scheduler and of the fleet, kept in a store. It
// is made before these are, and the control plane after them. Safe for
// concurrent use.
type Journal struct {
	store *store.Store

	mu sync.Mutex
	// ended is told of revisions an instance of which has ended; nil: nobody is.
	ended func(revision string) // guarded by mu
}

// NewJournal makes the journal of those whose executions and revisions are in s.
func NewJournal(s *store.Store) *Journal { return &Journal{store: s} }

// follow has somebody told when an instance of a revision has ended. It must not
// block.
func (j *Journal) follow(ended func(revision string)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = ended
}

// Instance keeps the record of an instance of a revision.
func (j *Journal) Instance(r serving.Record) scheduler.Ticket {
	ticket := j.store.Append(func(tx *store.Tx) {
		// What has been removed in the meantime stays so.
		if getRevision(tx, r.Revision) != nil {
			write(tx, kindInstances, instanceRecord(r.Revision, r.ID), r.Created, r)
		}
	})
	j.mu.Lock()
	ended := j.ended
	j.mu.Unlock()
	if ended != nil && !r.Ended.IsZero() {
		ended(r.Revision)
	}
	return ticket
}

// Task keeps the record of a task.
func (j *Journal) Task(x *runpb.Execution, r scheduler.TaskRecord) scheduler.Ticket {
	value, _ := r.MarshalBinary() // never fails
	series, n := x.GetUid(), uint32(r.Index)
	return j.store.Append(func(tx *store.Tx) { tx.PutRow(series, n, value) })
}

// Execution keeps an execution as it stands.
func (j *Journal) Execution(x *runpb.Execution) scheduler.Ticket {
	x = proto.CloneOf(x)
	return j.store.Append(func(tx *store.Tx) {
		// What has been removed in the meantime stays so.
		if old := getExecution(tx, x.GetName()); old.GetUid() == x.GetUid() {
			putExecution(tx, x)
		}
	})
}
