package control

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"

	"runnel/store"
)

// operations knows which operations there are, and which wait for what. Safe
// for concurrent use.
type operations struct {
	mu sync.Mutex
	// waiting are the names of the operations that are not done, by the UID of
	// their target. Those that are about to be stored are among them.
	waiting map[string][]string // guarded by mu
	// undone are the same, by their names.
	undone map[string]struct{} // guarded by mu
	// all are all of them, the oldest first.
	all []filed // guarded by mu
}

// filed is where and when an operation was stored.
type filed struct {
	name string
	when time.Time
}

func newOperations() *operations {
	return &operations{waiting: make(map[string][]string), undone: make(map[string]struct{})}
}

// operationsOf is what the names of the operations in a location begin with.
func operationsOf(location name) string { return location.up(atLocation).String() + "/operations/" }

// newOperationName draws the name of an operation in the location of n.
func newOperationName(n name) string { return operationsOf(n) + newUID() }

// newUID draws a version 4 UUID.
func newUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// expect notes that an operation waits for its target. It comes before the
// operation is stored, so that no end of the target's is missed.
func (s *operations) expect(name, uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[uid] = append(s.waiting[uid], name)
	s.undone[name] = struct{}{}
}

// unexpect notes that an operation does not wait any more.
func (s *operations) unexpect(name, uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.undone, name)
	s.waiting[uid] = slices.DeleteFunc(s.waiting[uid], func(n string) bool { return n == name })
	if len(s.waiting[uid]) == 0 {
		delete(s.waiting, uid)
	}
}

// file notes that an operation has been stored, and takes out of the books
// those that are done and too many or too old, for the caller to remove. One
// that is not done stays, however old it is.
func (s *operations) file(name string, when time.Time, keep int, age time.Duration) (old []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, filed{name, when})
	var stay []filed
	n := 0
	for n < len(s.all) && (len(s.all)-len(old) > keep || when.Sub(s.all[n].when) > age) {
		if _, undone := s.undone[s.all[n].name]; undone {
			stay = append(stay, s.all[n])
		} else {
			old = append(old, s.all[n].name)
		}
		n++
	}
	s.all = s.all[n-copy(s.all[n-len(stay):n], stay):]
	return old
}

// of are the operations that wait for the target with a UID.
func (s *operations) of(uid string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.waiting[uid])
}

// putOperation stores an operation.
func putOperation(tx *store.Tx, name string, o operation) {
	write(tx, kindOperations, name, o.When, o)
}

// getOperation reads an operation.
func getOperation(tx *store.Tx, name string) (o operation, ok bool) {
	ok = read(tx, kindOperations, name, &o)
	return o, ok
}

// finish stores the end of every operation that comes to it with its target, in
// the transaction that brings it about. It returns their names, for finished.
func (c *Control) finish(tx *store.Tx, e end) (names []string) {
	for _, name := range c.operations.of(e.target.GetUid()) {
		o, ok := getOperation(tx, name)
		if !ok || o.Done {
			continue
		}
		if o = o.settle(e); o.Done {
			putOperation(tx, name, o)
			names = append(names, name)
		}
	}
	return names
}

// finished tells those who wait for operations, once their end is stored.
func (c *Control) finished(uid string, names []string) {
	for _, name := range names {
		c.operations.unexpect(name, uid)
	}
	c.changes.ring(names...)
}

// pending is an operation that is about to be stored.
type pending struct {
	control *Control
	name    string
	operation
}

// begin makes an operation on the resource n. It is expected from now on, before
// it is stored, so that no end of the target's is missed; settled must follow.
func (c *Control) begin(v verb, n name, uid string) *pending {
	p := &pending{
		control:   c,
		name:      newOperationName(n),
		operation: operation{Verb: v, Target: n.String(), UID: uid, When: now()},
	}
	c.operations.expect(p.name, uid)
	return p
}

// put stores the operation.
func (p *pending) put(tx *store.Tx) { putOperation(tx, p.name, p.operation) }

// settled says whether the operation has been stored. If so, those that have
// been kept long enough are removed.
func (p *pending) settled(err error) {
	c := p.control
	if !c.stands(err, kindOperations, p.name) {
		c.operations.unexpect(p.name, p.UID)
		return
	}
	c.discard(c.operations.file(p.name, p.When, c.config.KeepOperations, c.config.OperationAge))
}

// discard removes operations that are done. Nobody waits until they are gone.
func (c *Control) discard(names []string) {
	if len(names) == 0 {
		return
	}
	c.config.Store.Append(func(tx *store.Tx) {
		for _, name := range names {
			tx.Delete(kindOperations, name)
		}
	})
}

// message is the operation as clients see it, now that its target is as it is.
func (p *pending) message(target resource) *longrunningpb.Operation {
	return p.operation.message(p.name, target)
}

// isOperation reports whether s is the name of an operation.
func isOperation(s string) bool {
	parts := strings.Split(s, "/")
	return len(parts) == 6 && parts[0] == levels[atProject].collection && parts[2] == levels[atLocation].collection && parts[4] == "operations" &&
		isID(parts[1]) && isID(parts[3]) && isID(parts[5])
}
