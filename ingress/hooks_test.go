package ingress

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// diary is what was told, in its order.
type diary struct {
	mu  sync.Mutex
	all string
}

func (d *diary) add(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all += s
}

func (d *diary) read() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all
}

func TestAnInstanceIsToldWhenItIsBusyAndIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told diary
		b := some("a", 2)
		b.Busy = func() { time.Sleep(time.Millisecond); told.add("b") }
		b.Idle = func() { told.add("i") }
		p := NewPool(PoolConfig{})
		p.Add(b)
		for range 3 {
			l := taken(t, p, "")
			if got := told.read(); got != "b" {
				t.Errorf("told %q by the time it has a request, want once that it is busy", got)
			}
			time.Sleep(time.Second)
			l.Release()
			time.Sleep(idleDelay - 2*time.Millisecond)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := told.read(); got != "bi" {
			t.Errorf("told %q, want that it is idle after a moment", got)
		}
		// The moment counts from the last request, not from the first.
		taken(t, p, "").Release()
		time.Sleep(idleDelay / 2)
		taken(t, p, "").Release()
		time.Sleep(idleDelay - time.Millisecond)
		synctest.Wait()
		if got := told.read(); got != "bib" {
			t.Errorf("told %q, want not yet that it is idle", got)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := told.read(); got != "bibi" {
			t.Errorf("told %q, want that it is idle", got)
		}
		l := taken(t, p, "")
		l.Release()
		if !p.DrainIdle("a") {
			t.Error("not idle")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := told.read(); got != "bibib" {
			t.Errorf("told %q, want not to be told that it is idle while it is stopped", got)
		}
	})
}

func TestHooksAlternateAndNeverMeet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		busy, calls := false, 0
		hook := func(to bool) func() {
			return func() {
				if running.Add(1) != 1 {
					t.Error("two hooks at the same time")
				}
				if busy == to {
					t.Errorf("told twice that busy is %v", to)
				}
				time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
				busy = to
				calls++
				running.Add(-1)
			}
		}
		b := some("a", 3)
		b.Busy, b.Idle = hook(true), hook(false)
		p := NewPool(PoolConfig{Patience: time.Hour})
		p.Add(b)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 200 {
					l, err := p.Acquire(context.Background(), "")
					if err != nil {
						t.Error(err)
						return
					}
					if !busy {
						t.Error("a request is forwarded to an instance that sleeps")
					}
					time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
					l.Release()
					time.Sleep(time.Duration(rand.IntN(4)) * idleDelay * 3 / 4)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		if busy || calls < 4 || calls%2 != 0 {
			t.Errorf("busy is %v after %d calls", busy, calls)
		}
	})
}
