package serving

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/ingress"
	"runnel/scheduler"
)

// crowd sends n requests at once and returns when all have ended, with how many
// of them could not be answered.
func (w *town) crowd(t *testing.T, l *loop, n int, takes time.Duration) (refused int) {
	t.Helper()
	var mu sync.Mutex
	var work sync.WaitGroup
	for range n {
		work.Go(func() {
			if _, _, err := w.request(t.Context(), l, takes); err != nil {
				mu.Lock()
				defer mu.Unlock()
				refused++
			}
		})
	}
	work.Wait()
	return refused
}

// A burst starts what it needs up to the maximum; in silence all go again, the
// surplus first.
//
// contract: SC-1, SC-3, SC-11, SC-13, LIFE-5
func TestBurst(t *testing.T) {
	inTown(t, 20, script{createTakes: 100 * time.Millisecond, listens: []time.Duration{100 * time.Millisecond}}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(2, 6))
		w.route(l)
		w.ready(t, l, 2)
		ended := make(chan int)
		go func() { ended <- w.crowd(t, l, 10, 5*time.Second) }()
		w.ready(t, l, 6)
		<-time.After(4 * time.Second)
		if s := w.Status(l.plan.name); s.Ready != 6 || s.Starting != 0 || s.Active != 6 || s.Waiting != 4 || s.Desired != 6 {
			t.Errorf("%+v", s)
		}
		if n := <-ended; n > 0 {
			t.Errorf("%d were refused", n)
		}
		<-time.After(30 * time.Second)
		if s := w.Status(l.plan.name); s.Ready != 6 {
			t.Errorf("after half a minute %+v", s)
		}
		last, at := 6, time.Time{}
		for range 5 * 60 {
			<-time.After(time.Second)
			if n := w.Status(l.plan.name).Ready; n != last {
				if n != last-1 || time.Since(at) < 14*time.Second {
					t.Errorf("from %d to %d after %v", last, n, time.Since(at))
				}
				last, at = n, time.Now()
			}
		}
		if last != 2 {
			t.Errorf("after 5 minutes %d", last)
		}
		<-time.After(time.Hour)
		if s := w.Status(l.plan.name); s.Ready != 2 || len(w.made) != 6 {
			t.Errorf("after an hour %+v, %d made", s, len(w.made))
		}
	})
}

// CPU without requests neither starts an instance nor keeps one.
//
// contract: SC-6, SC-7
func TestCPUAloneCountsForNothing(t *testing.T) {
	inTown(t, 20, script{}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
			r.GetContainers()[0].GetResources().CpuIdle = false
		}), auto(0, 6))
		w.route(l)
		if _, _, err := w.request(t.Context(), l, time.Second); err != nil {
			t.Fatal(err)
		}
		for range 17 * 60 {
			<-time.After(time.Second)
			w.look(func() {
				for _, b := range w.made {
					b.used += 2 * time.Second
				}
			})
		}
		if _, started := w.count(); started != 0 {
			t.Errorf("%d instances run", started)
		}
	})
}

// Requests that need more CPU than there is get more instances.
//
// contract: SC-3
func TestCPUOfRequests(t *testing.T) {
	inTown(t, 20, script{}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) { r.MaxInstanceRequestConcurrency = 80 }), auto(0, 6))
		w.route(l)
		ended := make(chan int)
		go func() { ended <- w.crowd(t, l, 2, 3*time.Minute) }()
		for range 170 {
			<-time.After(time.Second)
			w.look(func() {
				for _, b := range w.made {
					b.used += time.Second
				}
			})
		}
		if s := w.Status(l.plan.name); s.Ready != 2 {
			t.Errorf("%+v", s)
		}
		<-ended
	})
}

// contract: SC-2, LIFE-14
func TestManual(t *testing.T) {
	inTown(t, 20, script{}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), Scale{Min: 1, Max: 100, Manual: 3})
		w.route(l)
		w.ready(t, l, 3)
		if n := w.crowd(t, l, 9, time.Second); n > 0 {
			t.Errorf("%d were refused", n)
		}
		<-time.After(time.Hour)
		w.ready(t, l, 3)
		w.SetScale(l.plan.name, Scale{Max: 100, Manual: 0})
		<-time.After(time.Second)
		if all, _ := w.count(); all != 0 || len(w.made) != 3 {
			t.Errorf("%d instances of %d", all, len(w.made))
		}
		w.SetScale(l.plan.name, Scale{Max: 100, Manual: 1})
		w.ready(t, l, 1)
	})
}

// A lower maximum stops instances, the idle ones first; requests are let end.
//
// contract: SC-11, LIFE-9
func TestLowerMaximum(t *testing.T) {
	inTown(t, 20, script{}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(5, 5))
		w.ready(t, l, 5)
		ended := []<-chan error{w.meanwhile(t, l, time.Minute), w.meanwhile(t, l, time.Minute)}
		w.SetScale(l.plan.name, auto(2, 2))
		w.ready(t, l, 2)
		if s := w.Status(l.plan.name); s.Active != 2 {
			t.Errorf("%+v", s)
		}
		w.SetScale(l.plan.name, auto(1, 1))
		w.ready(t, l, 1)
		for _, e := range ended {
			if err := <-e; err != nil {
				t.Error(err)
			}
		}
	})
}

// Where the host is full, requests wait as long as they may; room that comes free
// is used at once.
//
// contract: SC-8
func TestFullHost(t *testing.T) {
	inTown(t, 2, script{}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(0, 10))
		other := w.add(t, revision("hello-00002-abc", nil), auto(2, 2))
		w.ready(t, other, 2)
		_, waited, err := w.request(t.Context(), l, 0)
		if !errors.Is(err, ingress.ErrSaturated) || waited != 10*time.Second {
			t.Errorf("waited %v: %v", waited, err)
		}
		ended := w.meanwhile(t, l, 0)
		w.SetScale(other.plan.name, auto(0, 1))
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A minimum that there is no room for keeps nobody from the room that there is.
//
// contract: SC-9
func TestMinimumThatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := settle(newWorld(t, always(script{})), 0, func(c *Config) {
			c.Budget = scheduler.NewBudget(scheduler.Resources{CPU: 8000, Memory: 1280 * contract.MiB})
		})
		var large []*loop
		for n, name := range []string{"hello-00001-a", "hello-00002-ab"} {
			l := w.add(t, revision(name, nil), auto(2+n, 2+n))
			large = append(large, l)
			w.ready(t, large[0], 2)
		}
		small := w.add(t, revision("hello-00003-abc", func(r *runpb.Revision) {
			r.GetContainers()[0].Resources.Limits["memory"] = "128Mi"
		}), auto(0, 3))
		if _, waited, err := w.request(t.Context(), small, 0); err != nil || waited > 5*time.Second {
			t.Errorf("waited %v: %v", waited, err)
		}
		// It comes when there is room after all.
		w.SetScale(large[0].plan.name, auto(0, 0))
		w.ready(t, large[1], 2)
		w.clear(t)
	})
}

// An instance that is idle makes room for the requests of another revision, but
// for those that a minimum keeps.
func TestIdleMakesRoom(t *testing.T) {
	inTown(t, 3, script{}, func(t *testing.T, w *town) {
		idle := w.add(t, revision("hello-00001-abc", nil), auto(1, 3))
		w.route(idle)
		if n := w.crowd(t, idle, 3, time.Second); n > 0 {
			t.Errorf("%d were refused", n)
		}
		<-time.After(10 * time.Second)
		l := w.add(t, revision("hello-00002-abc", nil), auto(0, 3))
		ended := make(chan int)
		go func() { ended <- w.crowd(t, l, 3, 3*time.Second) }()
		<-time.After(2 * time.Second)
		if here, there := w.Status(l.plan.name), w.Status(idle.plan.name); here.Ready != 2 || there.Ready != 1 {
			t.Errorf("%+v and %+v", here, there)
		}
		if n := <-ended; n > 0 {
			t.Errorf("%d were refused", n)
		}
	})
}

// The wait that is allowed follows from how long starts take.
//
// contract: SC-8
func TestPatience(t *testing.T) {
	inTown(t, 4, script{listens: []time.Duration{6 * time.Second}}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(1, 1))
		w.ready(t, l, 1)
		ended := w.meanwhile(t, l, time.Minute)
		_, waited, err := w.request(t.Context(), l, 0)
		if !errors.Is(err, ingress.ErrSaturated) || waited != 21*time.Second {
			t.Errorf("waited %v: %v", waited, err)
		}
		<-ended
		second := w.add(t, revision("hello-00002-abc", nil), auto(0, 0))
		w.SetScale(second.plan.name, auto(0, 1))
		second.pool.Add(ingress.Backend{ID: "x", Concurrency: 1})
		lease, _ := second.pool.Acquire(t.Context(), "")
		_, waited, _ = w.request(t.Context(), second, 0)
		if waited != 6*time.Second {
			t.Errorf("another revision's request waited %v", waited)
		}
		lease.Release()
		second.pool.Remove("x", ingress.ErrEnded)
	})
}

// A revision that has lost its traffic loses its instances soon, and one that
// only has a tag is served.
//
// contract: SC-15, REQ-6, TAG-1
func TestTraffic(t *testing.T) {
	inTown(t, 9, script{}, func(t *testing.T, w *town) {
		old := w.add(t, revision("hello-00001-abc", nil), auto(0, 9))
		w.route(old)
		ended := w.meanwhile(t, old, 2*time.Minute)
		second := w.add(t, revision("hello-00002-abc", nil), auto(0, 9))
		if err := w.Check(t.Context(), second.plan.name); err != nil {
			t.Fatal(err)
		}
		w.Route(Service{Name: testService, Traffic: []Traffic{
			{Revision: old.plan.name, Percent: 100}, {Revision: second.plan.name, Tag: "next"},
		}})
		<-time.After(time.Minute)
		if s := w.Status(second.plan.name); s.Ready != 1 {
			t.Errorf("the tagged one: %+v", s)
		}
		w.route(second)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		<-time.After(time.Minute)
		if s := w.Status(old.plan.name); s.Ready != 0 || old.waits() != nil {
			t.Errorf("the old one: %+v", s)
		}
		if s := w.Status(second.plan.name); s.Ready != 1 {
			t.Errorf("the new one: %+v", s)
		}
		w.Unroute(testService)
		<-time.After(time.Minute)
		if all, _ := w.count(); all != 0 {
			t.Errorf("%d instances", all)
		}
	})
}

// contract: SC-14, LIFE-14, REV-4
func TestWarm(t *testing.T) {
	inTown(t, 9, script{listens: []time.Duration{time.Second}}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(0, 9))
		if err := w.Check(t.Context(), l.plan.name); err != nil {
			t.Fatal(err)
		}
		w.SetScale(l.plan.name, auto(3, 9))
		if err := w.Warm(t.Context(), l.plan.name); err != nil {
			t.Fatal(err)
		}
		if s := w.Status(l.plan.name); s.Ready != 3 {
			t.Errorf("%+v", s)
		}
		var reasons []string
		w.look(func() {
			for _, b := range w.made {
				reasons = append(reasons, w.records[b.spec.ID].Reason)
			}
		})
		if len(reasons) != 3 || reasons[0] != string(contract.StartDeployment) || reasons[2] != string(contract.StartMinimum) {
			t.Errorf("reasons %v", reasons)
		}
		if err := w.Check(t.Context(), "nosuch"); !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
		w.SetScale(l.plan.name, auto(9, 9)) // more than there is room for, as the last do not listen in time
		ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		if err := w.Warm(ctx, l.plan.name); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
