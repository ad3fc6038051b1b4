package serving

import (
	"context"
	"errors"
	"fmt"
	"time"

	"runnel/contract"
	"runnel/ingress"
	rruntime "runnel/runtime"
	"runnel/scheduler"
)

// How long the host may take, before it counts as having failed, to create an
// instance, to start a container of it, or to kill it.
const (
	createTimeout = 2 * time.Minute
	startTimeout  = 30 * time.Second
	killTimeout   = 30 * time.Second
)

// tries is how often a kill, a delete or an adoption is tried, retryPause apart,
// before the instance is left behind and reported.
const (
	tries      = 3
	retryPause = time.Second
)

// phase is how far an instance has come.
type phase int

const (
	creating phase = iota
	prepared
	starting
	ready
	// ending is draining, stopping, or being deleted.
	ending
)

// instance is one instance, from the wish for it to its deletion. What stands
// before runtime is the loop's; the rest has one owner at a time: the goroutine
// that the loop has handed it to, or else the loop.
type instance struct {
	spec  rruntime.Spec
	phase phase
	// order is greater for newer ones.
	order  int
	reason contract.StartReason
	// holds is what the instance has of the budget; one that is created holds
	// nothing unless it is to be started at once.
	holds scheduler.Resources
	// unwanted is one that is to be deleted as soon as it has been created, which
	// abandon gives up.
	unwanted bool
	abandon  context.CancelFunc
	// end is closed when the instance is to be ended.
	end chan struct{}
	// idleSince, busy and cpu are what was observed last.
	idleSince time.Time
	busy      bool
	cpu       time.Duration

	// runtime is nil until the instance has been created or adopted.
	runtime  Instance
	adopted  bool
	throttle *throttle
	record   Record
	// recorded is the ticket of its creation: it is started only after that.
	recorded scheduler.Ticket
	// exit is how it ended, unseen why nobody knows.
	exit   rruntime.Exit
	unseen error
	// leftover is why it could not be deleted.
	leftover error
}

// going reports whether the instance takes requests or is on its way.
func (i *instance) going() bool {
	switch i.phase {
	case creating:
		return !i.unwanted && i.holds != (scheduler.Resources{})
	case starting, ready:
		return true
	}
	return false
}

// newInstance is one with that record.
func (l *loop) newInstance(r Record) *instance {
	l.order++
	i := &instance{
		spec: l.plan.instance(r.ID), record: r, order: l.order,
		end: make(chan struct{}), abandon: func() {},
	}
	l.instances[r.ID] = i
	return i
}

// take is the instance to be started next: the prepared one, or a new one.
func (l *loop) take() *instance {
	if i := l.waits(); i != nil {
		l.fleet.unprepare(l)
		return i
	}
	return l.create()
}

// create hands a new instance to a goroutine that makes it.
func (l *loop) create() *instance {
	i := l.newInstance(Record{ID: newInstanceID(l.plan), Revision: l.plan.name, Created: time.Now()})
	i.recorded = l.record(i)
	var ctx context.Context
	ctx, i.abandon = context.WithCancel(context.Background())
	l.helpers.Go(func() {
		var err error
		i.runtime, err = l.fleet.create(ctx, i.spec)
		l.tell(report{kind: instanceCreated, instance: i, err: err})
	})
	return i
}

// create makes an instance once the host is free to. When ctx ends it is no
// longer wanted; one may be there all the same.
func (f *Fleet) create(ctx context.Context, spec rruntime.Spec) (Instance, error) {
	select {
	case f.creates <- struct{}{}:
		defer func() { <-f.creates }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, stop := context.WithTimeout(ctx, createTimeout)
	defer stop()
	return f.config.Create(ctx, spec)
}

// created takes an instance that is there, or could not be.
func (l *loop) created(i *instance, err error) {
	i.abandon()
	switch {
	case err != nil:
		l.release(i, i.holds)
		l.fleet.unprepare(l)
		delete(l.instances, i.spec.ID)
		i.record.Ended = time.Now()
		l.record(i)
		if !i.unwanted {
			l.log.Warn("instance could not be created", "instance", i.spec.ID, "err", err)
			l.fail(i, startError(err))
		}
	case i.unwanted:
		l.delete(i)
	case i.going():
		l.start(i)
	default:
		i.phase = prepared
	}
}

// start has an instance begin, which has its room.
func (l *loop) start(i *instance) {
	i.phase = starting
	i.record.Reason = string(i.reason)
	l.say(i, "", info, i.reason.Line())
	l.log.Info("instance starts", "instance", i.spec.ID, "reason", i.record.Reason)
	i.throttle = newThrottle(l.plan, i.runtime.SetCPU, full)
	l.helpers.Go(func() { l.live(i) })
}

// ready takes an instance that takes requests.
func (l *loop) ready(i *instance) {
	l.failure, l.broken = nil, false
	if i.phase != starting {
		return
	}
	i.phase = ready
	took := i.record.Ready.Sub(i.record.Started)
	l.log.Info("instance is ready", "instance", i.spec.ID, "took", took.String())
	if !i.adopted {
		l.fleet.hasStarted(l.owner(), took)
	}
}

// end has an instance come to its end, whatever it is about.
func (l *loop) end(i *instance) {
	switch i.phase {
	case creating:
		i.unwanted = true
		i.abandon()
	case prepared:
		i.phase = ending
		l.delete(i)
	case starting, ready:
		l.log.Info("instance is stopped", "instance", i.spec.ID)
		i.phase = ending
		close(i.end)
	}
}

// fallen takes an instance that has ended, or is being ended, without the loop's
// wish. err says why, where it was never ready.
func (l *loop) fallen(i *instance, err error) {
	if i.phase != ending {
		i.phase = ending
		l.fail(i, err)
	}
}

// delete hands an instance that was not started to a goroutine that removes it.
func (l *loop) delete(i *instance) {
	l.helpers.Go(func() {
		l.remove(i)
		l.tell(report{kind: instanceDeleted, instance: i})
	})
}

// remove gives back what an instance holds of the host.
func (l *loop) remove(i *instance) {
	f := l.fleet
	select {
	case f.deletes <- struct{}{}:
		defer func() { <-f.deletes }()
	case <-f.detached:
		return
	}
	i.record.Ended = time.Now()
	l.record(i)
	if err := f.insist(func() error { return i.runtime.Delete(context.Background()) }); err != nil {
		i.leftover = fmt.Errorf("delete instance %s: %w", i.spec.ID, err)
	}
}

// gone takes an instance that has been deleted, or could not be.
func (l *loop) gone(i *instance) {
	delete(l.instances, i.spec.ID)
	if i.leftover == nil {
		l.release(i, i.holds)
		return
	}
	l.log.Error("instance left behind", "instance", i.spec.ID, "err", i.leftover)
	l.share.Forfeit(i.holds) // it may run on, and use all of it
	i.holds = scheduler.Resources{}
}

// release gives part of what an instance holds back to the budget.
func (l *loop) release(i *instance, r scheduler.Resources) {
	if r != (scheduler.Resources{}) {
		i.holds = i.holds.Sub(r)
		l.share.Release(r)
	}
}

// insist calls f until it succeeds, a few times, unless the fleet is detached.
func (f *Fleet) insist(call func() error) (err error) {
	for n := range tries {
		if n > 0 {
			select {
			case <-f.detached:
				return err
			case <-time.After(retryPause):
			}
		}
		if err = call(); err == nil {
			return nil
		}
	}
	return err
}

// startError is err as a *StartError where the containers are to blame.
func startError(err error) error {
	if errors.Is(err, rruntime.ErrUnstartable) {
		return unhealthy(fmt.Sprintf("The user-provided container cannot be started: %v.", err))
	}
	return err
}

// cause is what requests are told of an instance that has ended by itself.
func cause(exit rruntime.Exit) error {
	if exit.OOMKilled {
		return ingress.ErrMemory
	}
	return ingress.ErrEnded
}
