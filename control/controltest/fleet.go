package controltest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	"runnel/scheduler/serving"
)

// Trial is what becomes of a revision's first instance.
type Trial struct {
	// Err is why none gets ready; nil: one does.
	Err error
	// Hold has it take until Release, and those who give up before get Err too;
	// HoldMinimum only what is to be there
	// beside it.
	Hold, HoldMinimum bool
}

// Fleet is a fake of a host's fleet: its instances take no time to start and
// outlive the control plane. It implements control.Fleet, and fails the test where
// what it is told makes no sense.
type Fleet struct {
	t testing.TB

	mu sync.Mutex
	// play chooses the trial of a revision.
	play func(*runpb.Revision) Trial
	// released is closed by Release.
	released chan struct{}
	// journal is told of instances, if it is not nil.
	journal serving.Journal
	// revisions are those that were added, by full name.
	revisions map[string]*fleetRevision
	services  map[string]serving.Service
	// instances are those that live, by ID: they stay when the rest goes.
	instances map[string]serving.Record
	created   int
	// events tells what has happened, in order.
	events []string
}

// fleetRevision is a revision that was added.
type fleetRevision struct {
	*runpb.Revision
	images []*rimage.Image
	scale  serving.Scale
}

func newFleet(t testing.TB) *Fleet {
	return &Fleet{
		t:         t,
		play:      func(*runpb.Revision) Trial { return Trial{} },
		released:  make(chan struct{}),
		instances: make(map[string]serving.Record),
	}
}

// begin makes a fleet without revisions, as a new process has it.
func (f *Fleet) begin(journal serving.Journal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.journal = journal
	f.revisions, f.services = make(map[string]*fleetRevision), make(map[string]serving.Service)
}

// sweep ends the instances that nobody has asked for, as a daemon does when it
// has begun.
func (f *Fleet) sweep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.instances, func(_ string, r serving.Record) bool { return f.revisions[r.Revision] == nil })
}

// Play chooses the trials from now on; without it every revision gets ready.
func (f *Fleet) Play(play func(*runpb.Revision) Trial) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.play = play
}

// Release ends the trials that are held.
func (f *Fleet) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.released)
	f.released = make(chan struct{})
}

// Service is how the requests of the service with the full name are served, and
// whether they are at all.
func (f *Fleet) Service(name string) (s serving.Service, routed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, routed = f.services[name]
	return s, routed
}

// Split is how the requests of a service are shared: by short names, in order,
// such as "hello-1=50 hello-2=50 hello-2#tag=0"; "-" if it is not served.
func (f *Fleet) Split(service string) string {
	s, ok := f.Service(service)
	if !ok {
		return "-"
	}
	var all []string
	for _, t := range s.Traffic {
		id := short(t.Revision)
		if t.Tag != "" {
			id += "#" + t.Tag
		}
		all = append(all, fmt.Sprintf("%s=%d", id, t.Percent))
	}
	return strings.Join(all, " ")
}

// Scale is that of the revision with the full name; ok says that it was added.
func (f *Fleet) Scale(revision string) (scale serving.Scale, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.revisions[revision]; r != nil {
		return r.scale, true
	}
	return scale, false
}

// Images are the digests of the images that a revision was added with.
func (f *Fleet) Images(revision string) (digests []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.revisions[revision]; r != nil {
		for _, img := range r.images {
			digests = append(digests, img.Digest)
		}
	}
	return digests
}

// Revisions are the full names of the revisions that the fleet has.
func (f *Fleet) Revisions() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.revisions))
}

// Living are the IDs of the instances of a revision that live.
func (f *Fleet) Living(revision string) (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, r := range f.instances {
		if r.Revision == revision {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Events are what the fleet was told and has done, in order, with short names.
func (f *Fleet) Events() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// note adds an event; the caller holds mu.
func (f *Fleet) note(format string, args ...any) {
	f.events = append(f.events, fmt.Sprintf(format, args...))
}

// Churn has a revision have n more instances one after the other, which end.
func (f *Fleet) Churn(revision string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range n {
		f.end(f.start(revision, "churn"))
	}
}

// start has an instance begin; the caller holds mu.
func (f *Fleet) start(revision, reason string) string {
	f.created++
	at := time.Now()
	r := serving.Record{ID: fmt.Sprintf("%s-%d", short(revision), f.created), Revision: revision, Created: at, Started: at, Ready: at, Reason: reason}
	f.instances[r.ID] = r
	f.journal.Instance(r)
	return r.ID
}

// end has an instance end; the caller holds mu.
func (f *Fleet) end(id string) {
	r := f.instances[id]
	r.Ended = time.Now()
	delete(f.instances, id)
	f.journal.Instance(r)
}

// short is the last part of a full name.
func short(full string) string { return full[strings.LastIndex(full, "/")+1:] }

// errUnknown is a revision that was not added.
var errUnknown = errors.New("the fleet does not have the revision")
