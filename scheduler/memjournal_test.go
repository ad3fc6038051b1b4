package scheduler

import (
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
)

// memJournal is a journal in memory whose disk does as it is told.
type memJournal struct {
	mu      sync.Mutex
	entries []*memEntry
	// durable is how many of entries are; records are the last of these of each
	// task.
	durable int
	records map[int]TaskRecord
	// held keeps entries from becoming durable; delay is how long that takes
	// where they are not held.
	held  bool
	delay func() time.Duration
	// limit is how many become durable at all before full is closed.
	limit int
	full  chan struct{}
}

type memEntry struct {
	execution *runpb.Execution // nil: record is that of a task
	record    TaskRecord
	done      chan struct{}
}

func (e *memEntry) Done() <-chan struct{} { return e.done }

func newMemJournal() *memJournal {
	return &memJournal{limit: 1 << 30, full: make(chan struct{}), records: make(map[int]TaskRecord)}
}

func (j *memJournal) Task(_ *runpb.Execution, r TaskRecord) Ticket {
	return j.append(&memEntry{record: r})
}

func (j *memJournal) Execution(x *runpb.Execution) Ticket {
	return j.append(&memEntry{execution: proto.CloneOf(x)})
}

func (j *memJournal) append(e *memEntry) Ticket {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.done = make(chan struct{})
	j.entries = append(j.entries, e)
	if len(j.entries) > j.limit {
		select {
		case <-j.full:
		default:
			close(j.full)
		}
		return e
	}
	switch {
	case j.held:
	case j.delay != nil:
		n := len(j.entries)
		time.AfterFunc(j.delay(), func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			if !j.held {
				j.commit(n)
			}
		})
	default:
		j.commit(len(j.entries))
	}
	return e
}

// length is how many entries there are, and how many of them wait for the disk.
func (j *memJournal) length() (all, waiting int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries), len(j.entries) - j.durable
}

// commit makes the first n entries durable. The caller holds mu.
func (j *memJournal) commit(n int) {
	for ; j.durable < min(n, j.limit, len(j.entries)); j.durable++ {
		e := j.entries[j.durable]
		if e.execution == nil {
			j.records[e.record.Index] = e.record
		}
		close(e.done)
	}
}

// hold stops the disk, release lets it go on.
func (j *memJournal) hold() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held = true
}

func (j *memJournal) release() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held = false
	j.commit(len(j.entries))
}

// crash forgets what is not durable, and lifts the limit.
func (j *memJournal) crash() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = j.entries[:j.durable]
	j.held, j.limit, j.full = false, 1<<30, make(chan struct{})
}

// last is what is durable of the execution x.
func (j *memJournal) last(t *testing.T, x *runpb.Execution) (*runpb.Execution, Past) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.entries[:j.durable] {
		if e.execution != nil {
			x = e.execution
		}
	}
	var past Past
	for i := range int(x.GetTaskCount()) {
		if r, ok := j.records[i]; ok {
			wire, _ := r.MarshalBinary()
			if err := r.UnmarshalBinary(wire); err != nil {
				t.Error(err)
			}
			past.Tasks = append(past.Tasks, r)
		}
	}
	return x, past
}

// setClock is what the records look like when the clock has been set ahead.
func (j *memJournal) setClock(ahead time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, r := range j.records {
		r.Attempted = r.Attempted.Add(-ahead)
		j.records[i] = r
	}
}

// record is the last durable record of a task.
func (j *memJournal) record(index int) TaskRecord {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.records[index]
}

// has reports whether a task's record ever was durable in that state.
func (j *memJournal) has(index, retried int, state TaskState) bool {
	if state == Pending && retried == 0 {
		return true
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	is := func(r TaskRecord) bool { return r.State == state && max(0, r.Attempts-1) == retried }
	if is(j.records[index]) {
		return true
	}
	for _, e := range j.entries[:j.durable] {
		if r := e.record; e.execution == nil && r.Index == index && is(r) {
			return true
		}
	}
	return false
}
