package controltest

import (
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	rimage "runnel/image"
	"runnel/scheduler/serving"
)

// Add implements control.Fleet.
func (f *Fleet) Add(rev *runpb.Revision, images []*rimage.Image, scale serving.Scale, past []serving.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := rev.GetName()
	if f.revisions[name] != nil {
		f.t.Errorf("%s was added twice", name)
	}
	if len(images) != len(rev.GetContainers()) {
		f.t.Errorf("%s was added with %d images for %d containers", name, len(images), len(rev.GetContainers()))
	}
	known := map[string]bool{}
	for _, r := range past {
		known[r.ID] = true
		if _, lives := f.instances[r.ID]; !lives {
			f.instances[r.ID] = r
			f.end(r.ID)
		}
	}
	for id, r := range f.instances {
		if r.Revision == name && !known[id] {
			f.t.Errorf("%s was added without its instance %s", name, id)
		}
	}
	f.revisions[name] = &fleetRevision{proto.CloneOf(rev), images, scale}
	f.note("add %s", short(name))
	f.fill(name)
	return nil
}

// fill has as many instances live as the scale asks for; the caller holds mu.
func (f *Fleet) fill(revision string) {
	r := f.revisions[revision]
	least := r.scale.Min
	if r.scale.Manual >= 0 {
		least = r.scale.Manual
	}
	n := 0
	for id, x := range f.instances {
		if x.Revision == revision {
			if n++; r.scale.Max == 0 && r.scale.Manual <= 0 || n > max(least, 1) {
				f.end(id)
			}
		}
	}
	if f.play(r.Revision).Err == nil && !f.play(r.Revision).Hold {
		for ; n < least; n++ {
			f.start(revision, "minimum")
		}
	}
}

// SetScale implements control.Fleet.
func (f *Fleet) SetScale(revision string, scale serving.Scale) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.revisions[revision]
	if r == nil {
		return // removed a moment ago
	}
	if r.scale != scale {
		f.note("scale %s %d..%d %d", short(revision), scale.Min, scale.Max, scale.Manual)
	}
	r.scale = scale
	f.fill(revision)
}

// Check implements control.Fleet.
func (f *Fleet) Check(ctx context.Context, revision string) error {
	return f.await(ctx, revision, "check")
}

// Warm implements control.Fleet.
func (f *Fleet) Warm(ctx context.Context, revision string) error {
	return f.await(ctx, revision, "warm")
}

// await tries a revision.
func (f *Fleet) await(ctx context.Context, revision, what string) error {
	f.mu.Lock()
	r := f.revisions[revision]
	if r == nil {
		f.mu.Unlock()
		return errUnknown
	}
	f.note("%s %s", what, short(revision))
	trial, released := f.play(r.Revision), f.released
	f.mu.Unlock()
	if trial.Hold || what == "warm" && trial.HoldMinimum {
		select {
		case <-released:
		case <-ctx.Done():
			return errors.Join(trial.Err, context.Cause(ctx))
		}
	}
	if trial.Err != nil {
		return trial.Err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if what == "check" && f.revisions[revision] != nil && r.scale.Max > 0 {
		for _, x := range f.instances {
			if x.Revision == revision {
				return nil
			}
		}
		f.start(revision, "deployment")
	}
	return nil
}

// Remove implements control.Fleet.
func (f *Fleet) Remove(_ context.Context, revision string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, s := range f.services {
		for _, t := range s.Traffic {
			if t.Revision == revision {
				f.t.Errorf("%s is removed while %s sends it requests", revision, name)
			}
		}
	}
	for id, r := range f.instances {
		if r.Revision == revision {
			f.end(id)
		}
	}
	delete(f.revisions, revision)
	f.note("remove %s", short(revision))
	return nil
}

// Route implements control.Fleet.
func (f *Fleet) Route(s serving.Service) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.Contains(s.Name, "/workerPools/") {
		f.t.Errorf("%s is to get requests", s.Name)
	}
	sum := 0
	for _, t := range s.Traffic {
		sum += t.Percent
		if f.revisions[t.Revision] == nil {
			f.t.Errorf("%s sends requests to %s, which was not added", s.Name, t.Revision)
		}
	}
	if len(s.Traffic) > 0 && sum != 100 {
		f.t.Errorf("the requests of %s sum to %d: %v", s.Name, sum, s.Traffic)
	}
	f.services[s.Name] = s
	f.note("route %s", short(s.Name))
}

// Unroute implements control.Fleet.
func (f *Fleet) Unroute(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.services[name]; ok {
		f.note("unroute %s", short(name))
	}
	delete(f.services, name)
}
