package ingress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// some is a backend that nothing is forwarded to.
func some(id string, concurrency int) Backend {
	return Backend{ID: id, PublicID: "public-" + id, Addr: netip.MustParseAddrPort("127.0.0.1:9"), Concurrency: concurrency}
}

// taken acquires a slot that must be free.
func taken(t testing.TB, p *Pool, prefer string) *Lease {
	t.Helper()
	l := p.take(prefer)
	if l == nil {
		t.Fatal("no slot is free")
	}
	return l
}

func TestTheBusiestInstanceWithRoomIsTaken(t *testing.T) {
	t.Parallel()
	p := NewPool(PoolConfig{})
	for _, id := range []string{"a", "b", "c"} {
		p.Add(some(id, 3))
	}
	var ids []string
	var leases []*Lease
	for range 7 {
		l := taken(t, p, "")
		ids, leases = append(ids, l.Backend.ID), append(leases, l)
	}
	if ids[0] != ids[2] || ids[3] != ids[5] || ids[0] == ids[3] || ids[6] == ids[3] {
		t.Fatalf("taken in the order %v: want one instance filled before the next is begun", ids)
	}
	// The second instance gets one back, the third has one: the second is busier.
	leases[4].Release()
	if l := taken(t, p, ""); l.Backend.ID != ids[3] {
		t.Errorf("took %s, want %s, which is busier", l.Backend.ID, ids[3])
	}
	if l := taken(t, p, "public-"+ids[6]); l.Backend.ID != ids[6] {
		t.Errorf("took %s, want the preferred one", l.Backend.ID)
	}
	if l := taken(t, p, "public-"+ids[0]); l.Backend.ID == ids[0] {
		t.Error("the preferred instance was full and yet taken")
	}
}

// contract: REQ-5
func TestAgainstAModel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	p := NewPool(PoolConfig{})
	size := map[string]int{}
	held := map[string][]*Lease{}
	for i := range 20 {
		id := fmt.Sprint(i)
		size[id] = 1 + i%4
		p.Add(some(id, size[id]))
	}
	for range 20000 {
		id := fmt.Sprint(random.IntN(20))
		if l := held[id]; random.IntN(2) == 0 && len(l) > 0 {
			l[0].Release()
			l[0].Release()
			held[id] = l[1:]
			continue
		}
		busiest := -1
		for o, l := range held {
			if len(l) < size[o] {
				busiest = max(busiest, len(l))
			}
		}
		prefer := ""
		if random.IntN(3) == 0 {
			prefer = "public-" + id
		}
		l := p.take(prefer)
		if l == nil {
			if busiest >= 0 {
				t.Fatal("none was taken while one had room")
			}
			continue
		}
		of := l.Backend.ID
		if prefer != "" && len(held[id]) < size[id] {
			if of != id {
				t.Fatalf("took %s, want %s, which is preferred", of, id)
			}
			busiest = len(held[of])
		}
		if len(held[of]) >= size[of] || len(held[of]) < busiest {
			t.Fatalf("took %s with %d of %d, the busiest with room has %d", of, len(held[of]), size[of], busiest)
		}
		held[of] = append(held[of], l)
	}
	for _, b := range p.Stats().Backends {
		if b.Active != len(held[b.ID]) || b.IdleSince.IsZero() != (b.Active > 0) {
			t.Errorf("instance %s: %+v, want %d active", b.ID, b, len(held[b.ID]))
		}
	}
}

// contract: SC-16
func TestTheQueueIsFirstInFirstOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolConfig{})
		var mu sync.Mutex
		var order []int
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				l, err := p.Acquire(context.Background(), "")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				l.Release()
			})
			synctest.Wait()
		}
		p.Add(some("a", 1))
		all.Wait()
		if !slices.IsSorted(order) || len(order) != 50 {
			t.Errorf("served in the order %v", order)
		}
	})
}

// contract: SC-8
func TestPatience(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		at, set, want time.Duration
	}{
		{"ten seconds", 0, 0, 10 * time.Second},
		{"more, once it is known to take longer", 5 * time.Second, 17500 * time.Millisecond, 17500 * time.Millisecond},
		{"less, at once if it is over", 5 * time.Second, 2 * time.Second, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := NewPool(PoolConfig{})
				p.Add(some("a", 1))
				defer taken(t, p, "").Release()
				if c.set > 0 {
					time.AfterFunc(c.at, func() { p.SetPatience(c.set) })
				}
				begin := time.Now()
				for i := range 3 {
					go func() {
						time.Sleep(time.Duration(i) * 100 * time.Millisecond)
						_, _ = p.Acquire(context.Background(), "")
					}()
				}
				_, err := p.Acquire(context.Background(), "")
				if took := time.Since(begin); !errors.Is(err, ErrSaturated) || took != c.want {
					t.Errorf("after %v: %v, want ErrSaturated after %v", took, err, c.want)
				}
				time.Sleep(time.Second)
				if s := p.Stats(); s.Waiting != 0 {
					t.Errorf("%d still wait", s.Waiting)
				}
			})
		})
	}
}

func TestAWaitEnds(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone away")
	for _, c := range []struct {
		name string
		end  func(*Pool, context.CancelCauseFunc)
		want error
	}{
		{"by its context", func(_ *Pool, cancel context.CancelCauseFunc) { cancel(gone) }, gone},
		{"by Reject", func(p *Pool, _ context.CancelCauseFunc) { p.Reject(ErrNoInstance) }, ErrNoInstance},
		{"by an instance", func(p *Pool, _ context.CancelCauseFunc) { p.Add(some("b", 1)) }, nil},
		{"by one that is ready again", func(p *Pool, _ context.CancelCauseFunc) { p.SetReady("out", true) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				demand := make(chan struct{}, 10)
				p := NewPool(PoolConfig{Demand: func() { demand <- struct{}{} }})
				p.Add(some("out", 1))
				p.SetReady("out", false)
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				go func() {
					<-demand // when the wait begins
					c.end(p, cancel)
				}()
				if _, err := p.Acquire(ctx, ""); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if s := p.Stats(); s.Waiting != 0 || p.queue.first != nil || p.queue.last != nil {
					t.Errorf("%d wait", s.Waiting)
				}
			})
		})
	}
}

func TestDemandIsRaised(t *testing.T) {
	t.Parallel()
	n := 0
	p := NewPool(PoolConfig{Demand: func() { n++ }})
	p.Add(some("a", 2))
	first := taken(t, p, "")
	second := taken(t, p, "")
	if n != 1 {
		t.Errorf("raised %d times, want once: for the instance that had none", n)
	}
	first.Release()
	second.Release()
	taken(t, p, "")
	if n != 2 {
		t.Errorf("raised %d times, want again after it was idle", n)
	}
}

func TestStatsSumUpOverTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolConfig{})
		p.Add(some("a", 2))
		one := taken(t, p, "")
		time.Sleep(time.Second)
		two := taken(t, p, "")
		go func() {
			l, err := p.Acquire(context.Background(), "")
			if err != nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Second)
			l.Release()
		}()
		time.Sleep(2 * time.Second)
		if s := p.Stats(); s.Active != 2 || s.Waiting != 1 || s.Load != 5*time.Second || s.Demand != 7*time.Second {
			t.Errorf("got %+v", s)
		}
		one.Release()
		two.Release()
		time.Sleep(3 * time.Second)
		s := p.Stats()
		if s.Active != 0 || s.Load != 6*time.Second || s.Demand != 8*time.Second || s.Requests != 3 {
			t.Errorf("got %+v", s)
		}
		if idle := time.Since(s.Backends[0].IdleSince); idle != 2*time.Second {
			t.Errorf("idle for %v", idle)
		}
	})
}
