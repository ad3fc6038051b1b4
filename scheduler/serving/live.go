package serving

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"runnel/contract"
	"runnel/ingress"
)

// errUnwanted means that an instance is to be ended before it was ready.
var errUnwanted = errors.New("instance is not wanted any more")

// freshTime is how long an instance that is ready keeps its CPU, so that it is
// not taken away before the first request.
const freshTime = 100 * time.Millisecond

// live sees an instance through from its start to its deletion, in a goroutine of
// its own. When the fleet is detached, it leaves the instance as it is.
func (l *loop) live(i *instance) {
	if !l.fleet.await(i.recorded) {
		return
	}
	ctx, leave := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		i.exit, i.unseen = i.runtime.Wait(ctx)
	}()
	i.throttle.begin()
	err := l.rise(ctx, i, ended)
	var why error
	if err == nil {
		l.open(i)
		why = l.attend(ctx, i, ended)
		l.close(i, ended, why)
	} else if !l.fleet.isDetached() {
		l.giveUp(i, ended, err)
	}
	switch {
	case l.fleet.isDetached():
		leave()
		<-ended
		return
	case !i.runtime.Started():
		leave() // nobody will see it end
	case l.finish(ctx, i, ended, why) != nil:
		leave() // it cannot be killed; Wait must not keep us any longer
	}
	<-ended
	leave()
	i.throttle.end()
	l.remove(i)
	l.tell(report{kind: instanceDeleted, instance: i})
}

// open has an instance count as ready, and take requests if there are any.
func (l *loop) open(i *instance) {
	again := !i.record.Ready.IsZero()
	if !again {
		i.record.Ready = time.Now()
		l.record(i)
	}
	if l.plan.serves() {
		l.pool.Add(l.backend(i))
	}
	l.tell(report{kind: instanceReady, instance: i})
}

// backend is what an instance is to those who forward requests.
func (l *loop) backend(i *instance) ingress.Backend {
	b := ingress.Backend{
		ID: i.spec.ID, PublicID: i.spec.Identity.InstanceID,
		Addr: netip.AddrPortFrom(i.runtime.Addr(), uint16(l.plan.port)), H2C: l.plan.h2c,
		Concurrency: l.plan.concurrency,
	}
	if l.plan.throttled {
		b.Busy, b.Idle = i.throttle.hold, i.throttle.release
	}
	return b
}

// attend looks after an instance that takes requests until it has ended or is to
// be ended, and says why its requests are to end.
func (l *loop) attend(ctx context.Context, i *instance, ended <-chan struct{}) error {
	ctx, stop := context.WithCancel(ctx)
	sick := make(chan struct{})
	done := l.watch(ctx, i, sick)
	defer func() {
		stop()
		<-done
	}()
	extra := freshTime
	if l.plan.boosted != nil {
		extra = contract.BoostTime
	}
	calm := time.NewTimer(extra)
	defer calm.Stop()
	for {
		select {
		case <-calm.C:
			i.throttle.settle()
			continue
		case <-ended:
			return cause(i.exit)
		case <-sick:
			return ingress.ErrUnhealthy
		case <-i.end:
		case <-l.fleet.detached:
		}
		return nil
	}
}

// giveUp tells why an instance was never ready, unless it was not wanted any more.
func (l *loop) giveUp(i *instance, ended <-chan struct{}, err error) {
	if errors.Is(err, errUnwanted) {
		return
	}
	if isOver(ended) {
		l.sayExit(i)
	}
	l.log.Warn("instance could not start", "instance", i.spec.ID, "err", err)
	l.tell(report{kind: instanceEnding, instance: i, err: err})
}

// close takes an instance out of the pool: why is what its requests are told of
// it, nil if they are waited for.
func (l *loop) close(i *instance, ended <-chan struct{}, why error) {
	wished := why == nil
	if wished {
		l.drain(i, ended)
		why = ingress.ErrEnded
	}
	if l.fleet.isDetached() {
		return
	}
	over := isOver(ended)
	if over && wished {
		why = cause(i.exit)
	}
	l.pool.Remove(i.spec.ID, why)
	if over {
		l.sayExit(i)
		l.log.Warn("instance has ended", "instance", i.spec.ID, "exit", i.exit.String(), "err", i.unseen)
	}
	if !wished {
		l.tell(report{kind: instanceEnding, instance: i})
	}
}

// drain waits until an instance has no request any more, or cannot have one.
func (l *loop) drain(i *instance, ended <-chan struct{}) {
	longest := time.NewTimer(l.plan.timeout)
	defer longest.Stop()
	select {
	case <-l.pool.Drain(i.spec.ID):
	case <-ended:
	case <-longest.C:
	case <-l.fleet.detached:
	}
}

// finish stops an instance, as the contract has it, or at once where it is not
// well. Where one container has ended, the others may run on. The error says that
// it cannot be stopped.
func (l *loop) finish(ctx context.Context, i *instance, ended <-chan struct{}, why error) error {
	alone := len(l.plan.containers) == 1
	if alone && isOver(ended) {
		return nil
	}
	i.throttle.hold()
	grace := contract.GracePeriod
	if errors.Is(why, ingress.ErrUnhealthy) || errors.Is(why, ingress.ErrMemory) {
		grace = 0
	}
	gentle, stop := context.WithTimeout(ctx, grace+killTimeout)
	defer stop()
	err := i.runtime.Stop(gentle, grace)
	if err == nil || alone && isOver(ended) {
		return nil
	}
	err = l.fleet.insist(func() error {
		ctx, stop := context.WithTimeout(ctx, killTimeout)
		defer stop()
		return i.runtime.Stop(ctx, 0)
	})
	if err == nil || alone && isOver(ended) {
		return nil
	}
	return fmt.Errorf("stop instance %s: %w", i.spec.ID, err)
}

// isOver reports whether a channel has been closed.
func isOver(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
