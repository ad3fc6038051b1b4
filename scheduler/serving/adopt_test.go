package serving

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/scheduler"
)

// die ends a process: nothing it does from now on has an effect.
func (w *town) die() {
	close(w.dead)
	w.Detach()
	w.Wait()
}

// follow is the next process in the same world.
func (w *town) follow(room int) *town { return settle(w.world, room, nil) }

// Detach lets go without touching anything, and the next process goes on with
// what is there: what is ready takes requests at once, what starts goes on
// starting, what is prepared is started next.
//
// contract: LIFE-5, LIFE-6
func TestNextProcessGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := settle(newWorld(t, always(script{listens: []time.Duration{5 * time.Second}})), 9, nil)
		ready := first.add(t, revision("hello-00001-abc", nil), auto(1, 9))
		first.ready(t, ready, 1)
		bare := first.add(t, revision("hello-00002-abcd", nil), auto(0, 9))
		first.route(bare)
		<-time.After(time.Minute)
		slow := first.add(t, revision("hello-00003-abcde", nil), auto(1, 9))
		<-time.After(time.Second)
		first.Detach()
		first.Wait()
		if err := first.Check(t.Context(), slow.plan.name); !errors.Is(err, ErrDetached) && !errors.Is(err, ErrUnknown) {
			t.Errorf("check: %v", err)
		}
		all, started := first.count()
		if all != 3 || started != 2 {
			t.Fatalf("%d instances, %d started", all, started)
		}

		next := first.follow(9)
		ready = next.add(t, revision("hello-00001-abc", nil), auto(1, 9))
		bare = next.add(t, revision("hello-00002-abcd", nil), auto(0, 9))
		slow = next.add(t, revision("hello-00003-abcde", nil), auto(1, 9))
		next.endSurvivors()
		if used := next.config.Budget.Used(); used.Memory != 2*512*contract.MiB {
			t.Errorf("%v are used", used)
		}
		synctest.Wait()
		if _, waited, err := next.request(t.Context(), ready, time.Second); err != nil || waited != 0 {
			t.Errorf("the ready one: waited %v: %v", waited, err)
		}
		next.route(bare)
		if _, waited, err := next.request(t.Context(), slow, time.Second); err != nil || waited != 3*time.Second {
			t.Errorf("the slow one: waited %v: %v", waited, err)
		}
		id, waited, err := next.request(t.Context(), bare, time.Second)
		if err != nil || waited != 5*time.Second || id != next.made[1].spec.ID {
			t.Errorf("the prepared one: waited %v for %s: %v", waited, id, err)
		}
		if len(next.made) != 3 {
			t.Errorf("%d were made", len(next.made))
		}
		next.clear(t)
	})
}

// What ended while nobody looked has ended, and what is gone is not waited for.
func TestWhatEndedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := settle(newWorld(t, always(script{})), 9, nil)
		l := first.add(t, revision("hello-00001-abc", nil), auto(3, 3))
		first.ready(t, l, 3)
		<-time.After(time.Minute)
		first.die()
		first.made[0].end(contract.Exit{Code: 1})
		first.look(func() { delete(first.bodies, first.made[1].spec.ID) })
		next := first.follow(9)
		l = next.add(t, revision("hello-00001-abc", nil), auto(3, 3))
		next.endSurvivors()
		<-time.After(5 * time.Second)
		if s := next.Status(l.plan.name); s.Ready != 3 || len(next.made) != 5 {
			t.Errorf("%+v, %d made", s, len(next.made))
		}
		if past := next.past(l.plan.name); len(past) != 3 {
			t.Errorf("%d on record", len(past))
		}
		next.clear(t)
	})
}

// Only as many instances are prepared as the host is to have; those of revisions
// that were used longest ago go first, and come again with a request.
func TestPreparedAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := settle(newWorld(t, always(script{createTakes: 100 * time.Millisecond})), 9, func(c *Config) { c.Prepared, c.IdleTime = 2, time.Minute })
		var all []*loop
		var traffic []Traffic
		for _, name := range []string{"hello-00001-a", "hello-00002-ab", "hello-00003-abc"} {
			l := w.add(t, revision(name, nil), auto(0, 9))
			all = append(all, l)
			traffic = append(traffic, Traffic{Revision: l.plan.name, Tag: name})
			w.Route(Service{Name: testService, Traffic: traffic})
			<-time.After(time.Second)
		}
		want := func(when string, prepared ...bool) {
			t.Helper()
			<-time.After(time.Second)
			for n, l := range all {
				if got := l.hasPrepared(); got != prepared[n] {
					t.Errorf("%s: %s prepared: %v", when, l.plan.revision, got)
				}
			}
		}
		want("at first", false, true, true)
		if _, waited, err := w.request(t.Context(), all[0], 0); err != nil || waited != 100*time.Millisecond {
			t.Errorf("waited %v: %v", waited, err)
		}
		want("while it runs", false, true, true)
		<-time.After(2 * time.Minute)
		want("when it is back at zero", true, false, true)
		w.clear(t)
	})
}

// hasPrepared looks whether an instance waits.
func (l *loop) hasPrepared() (has bool) {
	waiting := 0
	w := l.fleet.config.Journal.(*life)
	w.look(func() {
		for _, b := range w.bodies {
			if w.records[b.spec.ID].Revision == l.plan.name && !b.started() {
				waiting++
			}
		}
	})
	return waiting > 0
}

func TestAddRefuses(t *testing.T) {
	inTown(t, 1, script{}, func(t *testing.T, w *town) {
		r := revision("hello-00001-abc", nil)
		w.add(t, r, auto(0, 1))
		if err := w.Add(r, make([]*rimage.Image, 1), auto(0, 1), nil); !errors.Is(err, ErrKnown) {
			t.Error(err)
		}
		large := revision("hello-00002-abc", func(r *runpb.Revision) { r.GetContainers()[0].GetResources().Limits["memory"] = "1Gi" })
		var capacity *scheduler.CapacityError
		if err := w.Add(large, make([]*rimage.Image, 1), auto(0, 1), nil); !errors.As(err, &capacity) {
			t.Error(err)
		}
		if s := w.Status(large.GetName()); s != (Status{}) {
			t.Errorf("%+v", s)
		}
	})
}

// An instance that cannot be deleted is reported, and its room is given up.
func TestLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := settle(newWorld(t, always(script{deleteErrs: 99})), 9, nil)
		l := w.add(t, revision("hello-00001-abc", nil), auto(1, 1))
		w.ready(t, l, 1)
		if err := w.Remove(t.Context(), l.plan.name); err != nil {
			t.Error(err)
		}
		w.Wait()
		if c := w.config.Budget.Capacity(); c.Memory != 8*512*contract.MiB {
			t.Errorf("capacity %v", c)
		}
		if used := w.config.Budget.Used(); used != (scheduler.Resources{}) {
			t.Errorf("still reserved: %v", used)
		}
	})
}
