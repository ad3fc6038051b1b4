package controltest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
	"runnel/scheduler"
)

// Script is what a fake instance does.
type Script struct {
	// Runs is how long it runs before it ends by itself. Hold makes it run until
	// End or Release instead.
	Runs time.Duration
	Hold bool
	// Exit is how it ends by itself, or at Release.
	Exit contract.Exit
	// OnTerm is how it ends at SIGTERM: nil for by the signal. Deaf instances
	// do not, and are killed after the grace period.
	OnTerm *contract.Exit
	Deaf   bool
	// CreateErr is what its creation comes to.
	CreateErr error
}

// Instances is a fake of a host's instances. They outlive the control plane.
type Instances struct {
	t testing.TB

	mu   sync.Mutex
	play func(rruntime.Spec) Script
	all  map[string]*instance // by ID, until deleted
	// started counts the starts of each ID ever.
	started map[string]int
	// reign counts the control planes: those of before are not listened to.
	reign int
}

func newInstances(t testing.TB) *Instances {
	return &Instances{
		t:       t,
		play:    func(rruntime.Spec) Script { return Script{} },
		all:     make(map[string]*instance),
		started: make(map[string]int),
	}
}

// Play chooses what each instance does that is created from now on. Without it
// they exit with 0 at once. It is called one at a time.
func (i *Instances) Play(play func(spec rruntime.Spec) Script) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.play = play
}

// Always makes all instances created from now on do the same.
func (i *Instances) Always(s Script) { i.Play(func(rruntime.Spec) Script { return s }) }

// Running are the IDs of the instances whose process runs.
func (i *Instances) Running() (ids []string) {
	for _, x := range i.list() {
		if x.runs() {
			ids = append(ids, x.spec.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Left are the IDs of the instances that have not been deleted.
func (i *Instances) Left() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Sorted(maps.Keys(i.all))
}

// Starts is how often a process was started, over all instances; the same ID
// twice is an error of the test.
func (i *Instances) Starts() (n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, times := range i.started {
		n += times
	}
	return n
}

// End ends the process of an instance.
func (i *Instances) End(id string, exit contract.Exit) {
	i.mu.Lock()
	x := i.all[id]
	i.mu.Unlock()
	if x != nil {
		x.end(exit)
	}
}

// Release ends every process that runs, as its script says.
func (i *Instances) Release() {
	for _, x := range i.list() {
		if x.runs() {
			x.end(x.script.Exit)
		}
	}
}

// Lose ends every instance without a trace, as the end of what keeps them does.
func (i *Instances) Lose() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.all)
}

func (i *Instances) list() []*instance {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Collect(maps.Values(i.all))
}

// create implements scheduler.Create.
func (i *Instances) create(_ context.Context, spec rruntime.Spec) (scheduler.Instance, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	script := i.play(spec)
	if script.CreateErr != nil {
		return nil, script.CreateErr
	}
	if old := i.all[spec.ID]; old != nil && old.reign == i.reign {
		return nil, fmt.Errorf("create instance %s: it exists", spec.ID)
	}
	x := &instance{host: i, spec: spec, script: script, reign: i.reign, ended: make(chan struct{})}
	i.all[spec.ID] = x
	return &handle{instance: x, reign: i.reign}, nil
}

// adopt implements scheduler.Adopt.
func (i *Instances) adopt(_ context.Context, spec rruntime.Spec) (scheduler.Instance, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	x := i.all[spec.ID]
	if x == nil {
		return nil, fmt.Errorf("adopt instance %s: %w", spec.ID, rruntime.ErrNotFound)
	}
	x.reign = i.reign
	return &handle{instance: x, reign: i.reign}, nil
}

// letGo makes the handles that are out useless.
func (i *Instances) letGo() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.reign++
}

// errReign is what the handles of an earlier control plane answer.
var errReign = errors.New("this control plane is gone")

// killed is how a process ends by SIGKILL.
func killed() contract.Exit { return contract.Exit{Signal: syscall.SIGKILL} }
