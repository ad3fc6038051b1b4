package serving

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"runnel/contract"
	"runnel/probe"
)

// errExited means that an instance has ended before it was ready.
var errExited = errors.New("instance has ended")

// errLost means that it has, and nobody knows how.
var errLost = errors.New("instance was lost before it was ready")

// errSilent means that nothing listens on the port of a probe.
var errSilent = errors.New("nothing listens")

// rise starts the containers of an instance, each after those it depends on, and
// returns when all are up. Errors: *StartError; errUnwanted; ErrDetached; what
// the host did wrong.
func (l *loop) rise(ctx context.Context, i *instance, ended <-chan struct{}) error {
	if i.adopted && !i.record.Ready.IsZero() && l.answers(ctx, i) {
		return nil
	}
	if i.record.Started.IsZero() {
		i.record.Started = time.Now()
		l.record(i)
	}
	ctx, stop := context.WithCancelCause(ctx)
	up := make([]chan struct{}, len(l.plan.containers))
	for n := range up {
		up[n] = make(chan struct{})
	}
	results := make(chan error, len(up))
	var work sync.WaitGroup
	for n := range up {
		work.Go(func() { results <- l.bringUp(ctx, i, n, up) })
	}
	err := l.allUp(i, ended, results, len(up))
	stop(err)
	work.Wait()
	switch {
	case !errors.Is(err, errExited):
	case i.unseen != nil || i.exit.Lost:
		return errLost // with the shim, say: its containers are not to blame
	default:
		return unhealthy(l.exitMessage(i))
	}
	return err
}

// allUp waits for n results, or for what makes them pointless.
func (l *loop) allUp(i *instance, ended <-chan struct{}, results <-chan error, n int) error {
	for range n {
		select {
		case err := <-results:
			switch {
			case err == nil:
			case isOver(ended):
				return errExited
			default:
				return err
			}
		case <-ended:
			return errExited
		case <-i.end:
			return errUnwanted
		case <-l.fleet.detached:
			return ErrDetached
		}
	}
	return nil
}

// exitMessage says why an instance that has ended was never ready.
func (l *loop) exitMessage(i *instance) string {
	message := contract.EndedMessage
	if l.plan.serves() {
		message = contract.ListenMessage(l.plan.port)
	}
	switch {
	case i.exit.OOMKilled:
		return message + " " + contract.MemoryLine(l.plan.need.Memory, i.exit.MemoryPeak)
	}
	return message + " " + i.exit.ExitLine()
}

// bringUp starts container n once those that it depends on are up, and returns
// when it is.
func (l *loop) bringUp(ctx context.Context, i *instance, n int, up []chan struct{}) error {
	c := &l.plan.containers[n]
	for _, dependency := range c.after {
		select {
		case <-up[dependency]:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := l.startContainer(ctx, i, n); err != nil {
		return err
	}
	if c.startup != nil {
		if err := l.startUp(ctx, i, c.startup); err != nil {
			return err
		}
	}
	close(up[n])
	if !sleep(ctx, c.steady) {
		return context.Cause(ctx)
	}
	return nil
}

// startContainer lets container n run. Of an instance that another process has
// begun to start, nobody knows which containers it has come to.
func (l *loop) startContainer(ctx context.Context, i *instance, n int) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer stop()
	err := i.runtime.StartContainer(ctx, n)
	if err == nil || i.adopted {
		return nil
	}
	return startError(fmt.Errorf("start container %s: %w", l.plan.containers[n].name, err))
}

// startUp asks a container until it is up. Each attempt lasts for a period, in
// which a port that does not listen is tried again and again; so a container is
// known to be up as soon as it is, and is asked no more often than it says.
func (l *loop) startUp(ctx context.Context, i *instance, p *prober) error {
	begun := time.Now()
	failures := 0
	var last error
	defer func() {
		if errors.Is(context.Cause(ctx), errExited) {
			l.say(i, p.log.Container, failed, p.log.NotStarted(max(1, failures), true))
		}
	}()
	if !sleep(ctx, p.delay) {
		return context.Cause(ctx)
	}
	for failures < p.threshold {
		end := begun.Add(p.delay + time.Duration(failures+1)*p.period)
		err := l.attempt(ctx, i, p, end)
		switch {
		case err == nil:
			l.say(i, p.log.Container, info, p.log.Succeeded(failures+1))
			return nil
		case !sleep(ctx, time.Until(end)):
			return context.Cause(ctx)
		}
		failures, last = failures+1, err
	}
	l.say(i, p.log.Container, failed, p.log.NotStarted(failures, false))
	return unhealthy(l.notUp(p, last))
}

// notUp says why a container did not come up, as Cloud Run does, and beyond that
// what the last attempt came to.
func (l *loop) notUp(p *prober, last error) string {
	message := contract.ProbeMessage
	if p.log.Default {
		message = contract.ListenMessage(l.plan.port)
	}
	if errors.Is(last, errSilent) {
		return message + " " + contract.SilentLine(p.check.Port)
	}
	return message + fmt.Sprintf(" The last attempt: %v.", last)
}

// attempt asks a container once, as soon as its port listens.
func (l *loop) attempt(ctx context.Context, i *instance, p *prober, end time.Time) error {
	ctx, stop := context.WithDeadline(ctx, end)
	defer stop()
	addr := netip.AddrPortFrom(i.runtime.Addr(), uint16(p.check.Port))
	if err := l.fleet.listening(ctx, addr); err != nil {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	if p.check.Kind == probe.TCP {
		return nil
	}
	return l.fleet.probe(ctx, p.check, i.runtime.Addr())
}

// answers reports whether an instance that was ready in another process still
// listens, where it has to.
func (l *loop) answers(ctx context.Context, i *instance) bool {
	if !l.plan.serves() {
		return true
	}
	ctx, stop := context.WithTimeout(ctx, contract.DefaultProbeTimeout)
	defer stop()
	return l.fleet.probe(ctx, probe.Check{Kind: probe.TCP, Port: l.plan.port}, i.runtime.Addr()) == nil
}

// sleep returns after d; false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
