package control

import (
	"encoding/json"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/scheduler"
	"runnel/store"
)

// Kinds of records. Jobs, executions and policies are kept as the messages that
// they are, under their full names; what the API does not show of a job is in
// its pin, of an execution in its note. The rows of the series with an
// execution's UID are the records of its tasks. With services, worker pools and
// revisions it is the same: each has a note; the first two have theirs, and their
// revisions, in common, and their names tell whose they are. Instances of revisions
// are kept under the name of their revision and their own ID.
const (
	kindJobs       store.Kind = "jobs"
	kindPins       store.Kind = "pins"
	kindPolicies   store.Kind = "policies"
	kindExecutions store.Kind = "executions"
	kindNotes      store.Kind = "notes"
	kindOperations store.Kind = "operations"

	kindServices      store.Kind = "services"
	kindWorkerPools   store.Kind = "workerpools"
	kindServiceNotes  store.Kind = "servicenotes"
	kindRevisions     store.Kind = "revisions"
	kindRevisionNotes store.Kind = "revisionnotes"
	kindInstances     store.Kind = "instances"
)

// pin is what a job's image was when it was created or updated last: executions
// use the same one, whatever becomes of its tag.
type pin struct {
	// Reference is the job's, Digest what it meant; empty while that is not
	// known.
	Reference string `json:"reference"`
	Digest    string `json:"digest,omitempty"`
	// Token is the one of the last execution that creating or updating the job
	// has started.
	Token string `json:"token,omitempty"`
	// Tasks is how many tasks the app has had, if it is one.
	Tasks int `json:"tasks,omitempty"`
}

// note is what an execution's resource does not tell.
type note struct {
	// Reference is the job's image, Digest what it means; empty while that is
	// not known.
	Reference string `json:"reference"`
	Digest    string `json:"digest,omitempty"`
	// Cancelled and Deleted are when that was asked for.
	Cancelled time.Time `json:"cancelled,omitzero"`
	Deleted   time.Time `json:"deleted,omitzero"`
	// Terminated says that its logs are to go when it has ended.
	Terminated bool `json:"terminated,omitempty"`
}

// unwanted reports whether the execution is to end.
func (n note) unwanted() bool { return !n.Cancelled.IsZero() || !n.Deleted.IsZero() }

// get reads a message, nil if there is no such record or it cannot be read:
// the store has seen to it that it is what was written.
func get[M any, P interface {
	*M
	proto.Message
}](tx *store.Tx, kind store.Kind, name string) P {
	value := tx.Get(kind, name)
	if value == nil {
		return nil
	}
	m := P(new(M))
	if proto.Unmarshal(value, m) != nil {
		return nil
	}
	return m
}

// marshal writes a message; only strings that are no UTF-8 could keep it from
// being written, and requests with these do not get this far.
func marshal(m proto.Message) []byte {
	value, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return value
}

func getJob(tx *store.Tx, name string) *runpb.Job { return get[runpb.Job](tx, kindJobs, name) }

func putJob(tx *store.Tx, job *runpb.Job) {
	tx.Put(kindJobs, job.GetName(), job.GetCreateTime().AsTime(), marshal(job))
}

func getExecution(tx *store.Tx, name string) *runpb.Execution {
	return get[runpb.Execution](tx, kindExecutions, name)
}

func putExecution(tx *store.Tx, x *runpb.Execution) {
	tx.Put(kindExecutions, x.GetName(), x.GetCreateTime().AsTime(), marshal(x))
}

func getPin(tx *store.Tx, job string) (p pin) {
	read(tx, kindPins, job, &p)
	return p
}

func putPin(tx *store.Tx, job *runpb.Job, p pin) {
	write(tx, kindPins, job.GetName(), job.GetCreateTime().AsTime(), p)
}

func getNote(tx *store.Tx, execution string) (n note) {
	read(tx, kindNotes, execution, &n)
	return n
}

func putNote(tx *store.Tx, x *runpb.Execution, n note) {
	write(tx, kindNotes, x.GetName(), x.GetCreateTime().AsTime(), n)
}

// read fills in what is kept as JSON, if it is there.
func read(tx *store.Tx, kind store.Kind, name string, into any) bool {
	value := tx.Get(kind, name)
	return value != nil && unmarshalJSON(value, into)
}

func unmarshalJSON(value []byte, into any) bool { return json.Unmarshal(value, into) == nil }

// toJSON writes what can always be written so.
func toJSON(what any) []byte {
	value, _ := json.Marshal(what)
	return value
}

// write keeps as JSON what can always be written so.
func write(tx *store.Tx, kind store.Kind, name string, created time.Time, what any) {
	tx.Put(kind, name, created, toJSON(what))
}

// taskRecords reads up to n records of an execution's tasks, from an index on.
func taskRecords(tx *store.Tx, x *runpb.Execution, from, n int) (records []scheduler.TaskRecord) {
	for index, value := range tx.RowsFrom(x.GetUid(), uint32(from)) {
		if int(index) >= from+n {
			break
		}
		var r scheduler.TaskRecord
		if r.UnmarshalBinary(value) == nil {
			records = append(records, r)
		}
	}
	return records
}
