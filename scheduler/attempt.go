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

// tries is how often a kill, a delete or an adoption is tried, retryPause apart,
// before the instance is left behind and reported. With what a delete may take
// that is a few minutes at most.
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
	// scheduled is when the instance was asked for.
	scheduled time.Time
	// prepared says that the attempt has a token of Scheduler.prepared.
	prepared bool
	// holds is what the attempt has of the budget.
	holds Resources
	// instance is nil until it has been created or adopted.
	instance Instance
	// begun says that the attempt counts among its task's.
	begun bool
	// recorded is the ticket of that, or of its end. The instance is started
	// only after the one and deleted only after the other.
	recorded Ticket
	// since is when the attempt began in another process, zero if in this one;
	// stopping is why that process was ending it.
	since time.Time
	// sinceUp is the host's uptime then, zero where that is not known.
	sinceUp  time.Duration
	stopping contract.Exit
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
	for {
		a.instance, a.err = s.obtain(ctx, a.spec)
		if a.err == nil {
			return
		}
		a.instance = nil
		if !errors.Is(a.err, rruntime.ErrExists) {
			return
		}
		// Another process has left it, and it is being removed.
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return
		}
	}
}

// obtain adopts the instance if another process has prepared it, and creates it
// if not: where one is there that cannot be adopted, Create says so.
func (s *Scheduler) obtain(ctx context.Context, spec rruntime.Spec) (Instance, error) {
	if i, err := s.config.Adopt(ctx, spec); err == nil {
		return i, nil
	}
	return s.config.Create(ctx, spec)
}

// adopt takes over the instance of an attempt that another process has begun.
// If nobody knows of it, the attempt is lost; if nobody can tell, it may still
// run and is left behind.
func (s *Scheduler) adopt(ctx context.Context, a *attempt) {
	ctx, stop := context.WithTimeout(ctx, createTimeout)
	defer stop()
	err := s.insist(s.detached, func() (err error) {
		a.instance, err = s.config.Adopt(ctx, a.spec)
		if errors.Is(err, rruntime.ErrNotFound) || errors.Is(err, rruntime.ErrKeeperGone) {
			a.exit = rruntime.Exit{Exit: contract.Exit{Lost: true}, At: time.Now()}
			return nil
		}
		return err
	})
	if err != nil {
		a.err = fmt.Errorf("adopt instance %s: %w", a.spec.ID, err)
		a.leftover = a.err
	}
	if a.unseen() {
		a.instance = nil
	}
}

// unseen reports whether nobody has seen the attempt's instance end: for all
// that is known it runs until it is deleted.
func (a *attempt) unseen() bool { return a.err != nil || a.exit.Lost }

// delete gives back what the attempt's instance holds of the host, once its end
// is durable: nobody can tell of it afterwards.
func (s *Scheduler) delete(ctx context.Context, a *attempt) {
	if !s.await(a.recorded) {
		return
	}
	select {
	case s.deletes <- struct{}{}:
		defer func() { <-s.deletes }()
	case <-s.detached:
		return
	}
	err := s.insist(s.detached, func() error { return a.instance.Delete(ctx) })
	if err != nil {
		a.leftover = fmt.Errorf("delete instance %s: %w", a.spec.ID, err)
	}
}

// await returns when what t stands for is durable; false if the scheduler was
// detached before.
func (s *Scheduler) await(t Ticket) bool {
	if t == nil {
		return true
	}
	select {
	case <-t.Done():
		return true
	case <-s.detached:
		return false
	}
}

// insist calls f until it succeeds, a few times, unless that is in vain or
// enough is closed.
func (s *Scheduler) insist(enough <-chan struct{}, f func() error) (err error) {
	for n := range tries {
		if n > 0 {
			select {
			case <-enough:
				return err
			case <-time.After(retryPause):
			}
		}
		if err = f(); err == nil || s.config.Journal == nil && errors.Is(err, rruntime.ErrKeeperGone) {
			return err
		}
	}
	return err
}

// hopeless reports whether err says that no attempt can succeed any more: the
// container is made so that it cannot start, or nobody is left to start it.
func (c *Config) hopeless(err error) bool {
	return errors.Is(err, rruntime.ErrUnstartable) ||
		c.Journal == nil && errors.Is(err, rruntime.ErrKeeperGone)
}
