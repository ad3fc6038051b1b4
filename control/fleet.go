package control

import (
	"context"
	"errors"
	"sync"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	"runnel/scheduler/serving"
)

// Fleet keeps the instances of services and worker pools, and has the requests of
// the former served: a serving.Fleet. Safe for concurrent use.
type Fleet interface {
	// Add begins to keep a revision, SetScale says how many instances it may
	// have, Remove ends it with all that it has.
	Add(rev *runpb.Revision, images []*rimage.Image, scale serving.Scale, past []serving.Record) error
	SetScale(revision string, scale serving.Scale)
	Remove(ctx context.Context, revision string) error
	// Check returns when an instance is ready, Warm when the minimum is.
	Check(ctx context.Context, revision string) error
	Warm(ctx context.Context, revision string) error
	// Route puts a service's traffic in force, Unroute has it end.
	Route(serving.Service)
	Unroute(name string)
}

// errNoFleet is what calls get where no instances are kept.
var errNoFleet = errors.New("this host has no fleet to keep instances")

// kept are the revisions that the fleet has, by their full names. Safe for
// concurrent use.
type kept struct {
	mu  sync.RWMutex
	all map[string]bool // guarded by mu
}

func newKept() *kept { return &kept{all: make(map[string]bool)} }

// has reports whether the fleet has a revision.
func (k *kept) has(revision string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.all[revision]
}

func (k *kept) add(revision string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all[revision] = true
}

func (k *kept) remove(revision string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.all, revision)
}
