package serving

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errSick means that a liveness probe has failed as often as it may.
var errSick = errors.New("a container is not well")

// watch asks the containers of an instance that takes requests how they are,
// until ctx ends: sick is closed when one is not alive any more, done when
// nobody asks.
func (l *loop) watch(ctx context.Context, i *instance, sick chan<- struct{}) (done <-chan struct{}) {
	var work sync.WaitGroup
	var once sync.Once
	turn := &turn{set: func(ready bool) { l.pool.SetReady(i.spec.ID, ready) }}
	for n := range l.plan.containers {
		c := &l.plan.containers[n]
		if p := c.liveness; p != nil {
			work.Go(func() {
				if errors.Is(l.stayAlive(ctx, i, p), errSick) {
					once.Do(func() { close(sick) })
				}
			})
		}
		if p := c.readiness; p != nil {
			work.Go(func() { l.stayReady(ctx, i, p, turn) })
		}
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		work.Wait()
	}()
	return over
}

// stayAlive asks a liveness probe until it has failed too often in a row.
func (l *loop) stayAlive(ctx context.Context, i *instance, p *prober) error {
	failures := 0
	return l.every(ctx, p, func() error {
		err := l.ask(ctx, i, p)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			failures = 0
			return nil
		}
		if failures++; failures < p.threshold {
			return nil
		}
		l.say(i, p.log.Container, failed, p.log.ShutDown(failures))
		l.log.Warn("instance is not alive", "instance", i.spec.ID, "err", err)
		return errSick
	})
}

// turn keeps an instance out of turn while any of its containers is not ready.
type turn struct {
	set func(ready bool)

	mu sync.Mutex // keeps calls of set in order, and guards out
	// out is how many are not ready.
	out int
}

// change counts a container that is ready again, or is not any more.
func (t *turn) change(ready bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ready {
		t.out--
	} else {
		t.out++
	}
	t.set(t.out == 0)
}

// stayReady asks a readiness probe, and takes the instance out of turn while it
// fails.
func (l *loop) stayReady(ctx context.Context, i *instance, p *prober, turn *turn) {
	failures := 0
	_ = l.every(ctx, p, func() error { // it ends with ctx only
		err := l.ask(ctx, i, p)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && failures >= p.threshold:
			turn.change(true)
			l.say(i, p.log.Container, info, p.log.Succeeded(1))
		}
		if err == nil {
			failures = 0
			return nil
		}
		if failures++; failures == p.threshold {
			turn.change(false)
			l.say(i, p.log.Container, warning, p.log.OutOfTurn(failures))
		}
		return nil
	})
}

// ask asks a container once, which has all its CPU meanwhile.
func (l *loop) ask(ctx context.Context, i *instance, p *prober) error {
	i.throttle.hold()
	defer i.throttle.release()
	return l.fleet.probe(ctx, p.check, i.runtime.Addr())
}

// every calls f after the probe's delay, and then every period, until it returns
// an error or ctx ends.
func (l *loop) every(ctx context.Context, p *prober, f func() error) error {
	if !sleep(ctx, p.delay) {
		return ctx.Err()
	}
	ticks := time.NewTicker(p.period)
	defer ticks.Stop()
	for {
		if err := f(); err != nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
