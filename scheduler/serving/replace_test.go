package serving

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// inFullTown runs a test with a revision of the worker pool that has all the room
// of the host: three instances. Those of the next revision do as its script says.
func inFullTown(t *testing.T, next script, test func(t *testing.T, w *town, old *loop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := settle(newWorld(t, func(s rruntime.Spec) script {
			if s.Containers[0].Name == "next" {
				return next
			}
			return script{}
		}), 3, nil)
		old := w.add(t, workers("mill-00001-abc", nil), manual(3))
		w.ready(t, old, 3)
		w.SetScale(old.plan.name, Scale{Manual: 3, Yield: 3})
		test(t, w, old)
		w.clear(t)
	})
}

func nextWorkers() *runpb.Revision {
	return workers("mill-00002-abcd", func(r *runpb.Revision) { r.Containers[0].Name = "next" })
}

// least watches how many instances are ready at least until stop is called.
func (w *town) least(all ...*loop) (stop func() int) {
	done, end := make(chan int), make(chan struct{})
	go func() {
		least := 99
		for {
			n := 0
			for _, l := range all {
				n += w.Status(l.plan.name).Ready
			}
			least = min(least, n)
			select {
			case <-end:
				done <- least
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int { close(end); return <-done }
}

// Where there is no room for both, the instances of a new revision take the places
// of the old ones one by one.
func TestWorkersAreReplacedWhereThereIsNoRoomForBoth(t *testing.T) {
	inFullTown(t, script{}, func(t *testing.T, w *town, old *loop) {
		l := w.add(t, nextWorkers(), manual(3))
		least := w.least(old, l)
		if err := w.Check(t.Context(), l.plan.name); err != nil {
			t.Fatal(err)
		}
		// The next old one may have gone by now.
		if n := w.Status(old.plan.name).Ready; n < 1 || n > 2 {
			t.Errorf("%d old instances are there beside the first new one", n)
		}
		if err := w.Warm(t.Context(), l.plan.name); err != nil {
			t.Fatal(err)
		}
		if n := least(); n != 2 {
			t.Errorf("at times %d instances were ready", n)
		}
		w.SetScale(old.plan.name, manual(0))
		<-time.After(time.Minute)
		if a, b := w.Status(old.plan.name), w.Status(l.plan.name); a.Ready != 0 || b.Ready != 3 || len(w.made) != 6 {
			t.Errorf("%+v and %+v, %d were made", a, b, len(w.made))
		}
	})
}

// If the new ones are not well, the old ones come back.
func TestWorkersComeBackWhereTheNextOnesAreNotWell(t *testing.T) {
	inFullTown(t, script{ends: 1, exit: contract.Exit{Code: 1}}, func(t *testing.T, w *town, old *loop) {
		l := w.add(t, nextWorkers(), manual(3))
		var start *StartError
		if err := w.Check(t.Context(), l.plan.name); !errors.As(err, &start) {
			t.Errorf("check: %v", err)
		}
		w.SetScale(l.plan.name, manual(0))
		<-time.After(10 * time.Second)
		if s := w.Status(old.plan.name); s.Ready != 3 || len(w.made) != 5 {
			t.Errorf("%+v, %d were made", s, len(w.made))
		}
	})
}

// Who is to have more than there is room for takes nothing from others, and waits
// with these, not before them.
func TestWorkersWithoutRoomTakeNoneFromOthers(t *testing.T) {
	inFullTown(t, script{}, func(t *testing.T, w *town, old *loop) {
		late := errors.New("late")
		ctx, stop := context.WithTimeoutCause(t.Context(), time.Minute, late)
		defer stop()
		w.SetScale(old.plan.name, manual(5))
		if err := w.Warm(ctx, old.plan.name); !errors.Is(err, late) || !errors.Is(err, ErrNoRoom) {
			t.Errorf("warm: %v", err)
		}
		other := w.add(t, workers("other-00001-abcde", func(r *runpb.Revision) {
			r.Name = "projects/local/locations/us-central1/workerPools/other/revisions/other-00001-abcde"
		}), manual(1))
		ctx, stop = context.WithTimeoutCause(t.Context(), time.Minute, late)
		defer stop()
		if err := w.Check(ctx, other.plan.name); !errors.Is(err, late) || !errors.Is(err, ErrNoRoom) {
			t.Errorf("check: %v", err)
		}
		if s := w.Status(old.plan.name); s.Ready != 3 || len(w.made) != 3 {
			t.Errorf("%+v, %d were made", s, len(w.made))
		}
		w.SetScale(old.plan.name, manual(2))
		if err := w.Check(t.Context(), other.plan.name); err != nil {
			t.Error(err)
		}
	})
}

// No revision takes more than another one is to give.
func TestWorkersStayThatAreToStay(t *testing.T) {
	inFullTown(t, script{}, func(t *testing.T, w *town, old *loop) {
		w.SetScale(old.plan.name, Scale{Manual: 3, Yield: 1})
		l := w.add(t, nextWorkers(), manual(3))
		late := errors.New("late")
		ctx, stop := context.WithTimeoutCause(t.Context(), time.Minute, late)
		defer stop()
		if err := errors.Join(w.Check(ctx, l.plan.name), w.Warm(ctx, l.plan.name)); !errors.Is(err, ErrNoRoom) || !errors.Is(err, late) {
			t.Errorf("warm: %v", err)
		}
		if a, b := w.Status(old.plan.name), w.Status(l.plan.name); a.Ready != 2 || b.Ready != 1 || len(w.made) != 4 {
			t.Errorf("%+v and %+v, %d were made", a, b, len(w.made))
		}
	})
}
