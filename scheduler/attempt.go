package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// How long the host may take, before it counts as having failed, to create an
// instance, to start it, or to kill it. None of these takes more than seconds on
// a host that is not in trouble. A creation may need longer, to leave nothing
// behind; a deletion bounds itself.
const (
	createTimeout = 2 * time.Minute
	startTimeout  = 30 * time.Second
	killTimeout   = 30 * time.Second
)

// tries is how often a kill or a delete is tried, retryPause apart, before the
// instance is left behind and reported. With what a delete may take that is a
// few minutes at most.
const (
	tries      = 3
	retryPause = time.Second
)

// attempt is one try at a task, from the creation of its instance to its
// deletion. It has one owner at a time: the loop, or the goroutine that the
// loop has handed it to until that reports back.
type attempt struct {
	index, number int
	spec          rruntime.Spec
	// instance is nil until it has been created.
	instance Instance
	// holds is what the attempt has of the budget.
	holds Resources
	// exit is how it ended; err why nobody knows, or why it never ran.
	exit rruntime.Exit
	err  error
	// leftover is why the instance could not be deleted.
	leftover error
}

// create makes the attempt's instance once the host is free to. When ctx ends
// the instance is no longer wanted; one may be there all the same.
func (s *Scheduler) create(ctx context.Context, a *attempt) {
	select {
	case s.creates <- struct{}{}:
		defer func() { <-s.creates }()
	case <-ctx.Done():
		a.err = context.Cause(ctx)
		return
	}
	ctx, stop := context.WithTimeout(ctx, createTimeout)
	defer stop()
	a.instance, a.err = s.config.Create(ctx, a.spec)
	if a.err != nil {
		a.instance = nil
	}
}

// unseen reports whether nobody has seen the attempt's instance end: for all
// that is known it runs until it is deleted.
func (a *attempt) unseen() bool { return a.err != nil || a.exit.Lost }

// delete gives back what the attempt's instance holds of the host.
func (s *Scheduler) delete(ctx context.Context, a *attempt) {
	s.deletes <- struct{}{}
	defer func() { <-s.deletes }()
	err := insist(nil, func() error { return a.instance.Delete(ctx) })
	if err != nil {
		a.leftover = fmt.Errorf("delete instance %s: %w", a.spec.ID, err)
	}
}

// supervise starts the attempt's instance and sees it to its end, which it
// brings about at the timeout or when the execution is cancelled; stopping is
// called before. It sets exit and err.
func (e *Execution) supervise(ctx context.Context, a *attempt, stopping func(contract.Exit)) {
	if a.err = start(ctx, a.instance); a.err != nil {
		return
	}
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.exit, a.err = a.instance.Wait(ctx)
	}()

	reason := e.reasonToStop(ended)
	if reason == (contract.Exit{}) {
		return
	}
	stopping(reason)
	if err := e.stop(ctx, a.instance, ended); err != nil {
		giveUp() // it cannot be killed; Wait must not keep us any longer
		<-ended
		a.err = fmt.Errorf("stop instance %s: %w", a.spec.ID, err)
		return
	}
	<-ended
	a.exit.TimedOut, a.exit.Cancelled = reason.TimedOut, reason.Cancelled
}

// start lets an instance begin.
func start(ctx context.Context, i Instance) error {
	ctx, stop := context.WithTimeout(ctx, startTimeout)
	defer stop()
	return i.Start(ctx)
}

// reasonToStop waits until the instance has ended, and says nothing, or until
// it has to be, and says why.
func (e *Execution) reasonToStop(ended <-chan struct{}) (reason contract.Exit) {
	timeout := time.NewTimer(e.plan.timeout)
	defer timeout.Stop()
	select {
	case <-ended:
		return contract.Exit{}
	case <-timeout.C:
		reason.TimedOut = true
	case <-e.cancelled:
		reason.Cancelled = true
	}
	select {
	case <-ended: // by itself, at the same moment
		return contract.Exit{}
	default:
		return reason
	}
}

// stop ends an instance as the contract has it, or at once when the execution
// is killed. What Stop complains about does not matter if it has ended.
func (e *Execution) stop(ctx context.Context, i Instance, ended <-chan struct{}) error {
	gentle, hurry := context.WithTimeout(ctx, contract.GracePeriod+killTimeout)
	defer hurry()
	stopped := make(chan error, 1)
	go func() { stopped <- i.Stop(gentle, contract.GracePeriod) }()
	var err error
	select {
	case err = <-stopped:
	case <-e.killed:
		hurry()
		err = <-stopped
	}
	if err == nil {
		return nil
	}
	err = insist(ended, func() error {
		ctx, stop := context.WithTimeout(ctx, killTimeout)
		defer stop()
		return i.Stop(ctx, 0)
	})
	select {
	case <-ended:
		return nil
	default:
		return err
	}
}

// insist calls f until it succeeds, a few times, unless that is in vain or
// enough is closed.
func insist(enough <-chan struct{}, f func() error) (err error) {
	for n := range tries {
		if n > 0 {
			select {
			case <-enough:
				return err
			case <-time.After(retryPause):
			}
		}
		if err = f(); err == nil || errors.Is(err, rruntime.ErrKeeperGone) {
			return err
		}
	}
	return err
}

// hopeless reports whether err says that no attempt can succeed any more: the
// container is made so that it cannot start, or nobody is left to start it.
func hopeless(err error) bool {
	return errors.Is(err, rruntime.ErrUnstartable) || errors.Is(err, rruntime.ErrKeeperGone)
}
