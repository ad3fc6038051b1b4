package ingress

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// contract: LIFE-9
func TestDrainWaitsForTheLastRequest(t *testing.T) {
	t.Parallel()
	p := NewPool(PoolConfig{})
	p.Add(some("a", 2))
	l := taken(t, p, "")
	if p.DrainIdle("a") {
		t.Error("DrainIdle took a busy instance")
	}
	again := taken(t, p, "")
	done := p.Drain("a")
	again.Release()
	if closed(done) {
		t.Error("drained with a request under way")
	}
	if p.take("") != nil {
		t.Error("an instance that drains was taken")
	}
	l.Release()
	if !closed(done) || !closed(p.Drain("a")) || !closed(p.Drain("nobody")) {
		t.Error("not drained although there is no request")
	}
	p.Add(some("b", 1))
	if !p.DrainIdle("b") || p.take("") != nil {
		t.Error("DrainIdle did not take an idle instance out of turn")
	}
}

func TestRemoveEndsRequestsWithTheReason(t *testing.T) {
	t.Parallel()
	p := NewPool(PoolConfig{})
	p.Add(some("a", 3))
	l := taken(t, p, "")
	late := taken(t, p, "")
	ctx, stop := l.Context(context.Background())
	defer stop(nil)
	over := taken(t, p, "")
	of, end := over.Context(context.Background())
	end(nil)
	over.Release()
	drained := p.Drain("a")
	p.Remove("a", ErrMemory)
	if !errors.Is(context.Cause(ctx), ErrMemory) {
		t.Errorf("ended with %v", context.Cause(ctx))
	}
	if errors.Is(context.Cause(of), ErrMemory) {
		t.Error("a request that was over has ended with it")
	}
	if ctx, stop := late.Context(context.Background()); !errors.Is(context.Cause(ctx), ErrMemory) {
		t.Error("a request that had not begun goes on")
	} else {
		stop(nil)
	}
	if s := p.Stats(); len(s.Backends) != 0 || s.Active != 2 {
		t.Errorf("got %+v", s)
	}
	l.Release()
	late.Release()
	if s := p.Stats(); s.Active != 0 || !closed(drained) || p.take("") != nil {
		t.Errorf("got %+v", s)
	}
}

func TestNotReadyKeepsItsRequests(t *testing.T) {
	t.Parallel()
	p := NewPool(PoolConfig{})
	p.Add(some("a", 2))
	l := taken(t, p, "")
	ctx, stop := l.Context(context.Background())
	defer stop(nil)
	p.SetReady("a", false)
	if p.take("") != nil || ctx.Err() != nil || p.Stats().Backends[0].Ready {
		t.Error("an instance that is not ready is in turn, or lost its request")
	}
	l.Release()
	if p.take("public-a") != nil {
		t.Error("a release put it back in turn")
	}
	p.SetReady("a", true)
	taken(t, p, "")
	p.SetReady("nobody", true)
}

func TestAShunnedInstanceComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolConfig{})
		p.Add(some("a", 1))
		l := taken(t, p, "")
		p.shun(l.member)
		p.shun(l.member)
		l.Release()
		begin := time.Now()
		again, err := p.Acquire(context.Background(), "")
		if err != nil || time.Since(begin) != shunTime {
			t.Errorf("after %v: %v", time.Since(begin), err)
			return
		}
		again.Release()
	})
}
