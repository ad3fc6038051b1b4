package scheduler

import (
	"context"
	"fmt"
	"math"
	"time"

	"runnel/contract"
)

// patience is how long a stop waits until its reason is durable. A disk that
// takes longer must not keep a task from being stopped; all that is lost, if
// this process ends before the disk comes back, is the reason.
const patience = 5 * time.Second

// watch sees an attempt through, from the moment its beginning is durable, in a
// goroutine of its own.
func (l *loop) watch(ctx context.Context, a *attempt) {
	l.helpers.Go(func() {
		if !l.scheduler.await(a.recorded) {
			return
		}
		if !a.instance.Started() {
			if a.err = start(ctx, a.instance); a.err != nil {
				l.tell(report{kind: attemptEnded, attempt: a})
				return
			}
		}
		l.supervise(ctx, a)
		l.tell(report{kind: attemptEnded, attempt: a})
	})
}

// start lets an instance begin.
func start(ctx context.Context, i Instance) error {
	ctx, stop := context.WithTimeout(ctx, startTimeout)
	defer stop()
	return i.Start(ctx)
}

// supervise sees the attempt's instance, which has been started, to its end,
// which it brings about at the timeout or when the execution is cancelled. It
// sets exit and err; they mean nothing if the scheduler was detached.
func (l *loop) supervise(ctx context.Context, a *attempt) {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.exit, a.err = a.instance.Wait(ctx)
	}()
	defer func() { <-ended }()

	reason, decided := a.stopping, time.Time{}
	if reason == (contract.Exit{}) {
		reason = l.reasonToStop(l.timeLeft(a), ended)
		decided = time.Now()
		if reason == (contract.Exit{}) || !l.announce(a, reason) {
			giveUp() // unless it has ended, the scheduler was detached
			return
		}
	}
	if err := l.stop(ctx, a.instance, ended); err != nil {
		giveUp() // it cannot be killed; Wait must not keep us any longer
		<-ended
		a.err = fmt.Errorf("stop instance %s: %w", a.spec.ID, err)
		return
	}
	<-ended
	if !a.since.IsZero() && a.exit.At.Before(decided) {
		return // it had ended by itself when nobody looked
	}
	a.exit.TimedOut, a.exit.Cancelled = reason.TimedOut, reason.Cancelled
}

// timeLeft is how long the attempt may go on.
func (l *loop) timeLeft(a *attempt) time.Duration {
	if l.plan.endless {
		return math.MaxInt64
	}
	if a.since.IsZero() {
		return l.plan.timeout
	}
	if a.sinceUp > 0 {
		return l.plan.timeout - (l.scheduler.config.Uptime() - a.sinceUp)
	}
	return l.plan.timeout - time.Since(a.since)
}

// reasonToStop waits until the instance has ended or the scheduler is detached,
// and says nothing, or until it has to be ended, and says why.
func (l *loop) reasonToStop(left time.Duration, ended <-chan struct{}) (reason contract.Exit) {
	timeout := time.NewTimer(left)
	defer timeout.Stop()
	select {
	case <-ended:
		return contract.Exit{}
	case <-l.scheduler.detached:
		return contract.Exit{}
	case <-timeout.C:
		reason.TimedOut = true
	case <-l.cancelled:
		reason.Cancelled = true
	}
	select {
	case <-ended: // by itself, at the same moment
		return contract.Exit{}
	default:
		return reason
	}
}

// announce has the reason recorded why the attempt is to be stopped, so that it
// is known even if another process sees the end; false if the scheduler was
// detached.
func (l *loop) announce(a *attempt, why contract.Exit) bool {
	recorded := make(chan Ticket, 1)
	l.tell(report{kind: attemptStopping, attempt: a, why: why, recorded: recorded})
	var durable <-chan struct{}
	select {
	case t := <-recorded:
		if t == nil {
			return true
		}
		durable = t.Done()
	case <-l.scheduler.detached:
		return false
	}
	impatience := time.NewTimer(patience)
	defer impatience.Stop()
	select {
	case <-durable:
	case <-impatience.C:
	case <-l.killed:
	case <-l.scheduler.detached:
		return false
	}
	return true
}

// stop ends an instance as the contract has it, or at once when the execution
// is killed. What Stop complains about does not matter if it has ended.
func (l *loop) stop(ctx context.Context, i Instance, ended <-chan struct{}) error {
	gentle, hurry := context.WithTimeout(ctx, contract.GracePeriod+killTimeout)
	defer hurry()
	stopped := make(chan error, 1)
	go func() { stopped <- i.Stop(gentle, contract.GracePeriod) }()
	var err error
	select {
	case err = <-stopped:
	case <-l.killed:
		hurry()
		err = <-stopped
	}
	if err == nil {
		return nil
	}
	err = l.scheduler.insist(ended, func() error {
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
