package control

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/scheduler"
	"runnel/store"
)

// Journal is the scheduler's journal, kept in a store. It is made before the
// scheduler is, and the control plane after it. Safe for concurrent use.
type Journal struct{ store *store.Store }

// NewJournal makes the journal of the scheduler whose executions are in s.
func NewJournal(s *store.Store) *Journal { return &Journal{s} }

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
