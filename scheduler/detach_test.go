package scheduler

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	rimage "runnel/image"
)

// Detach lets go without touching anything: no instance ends, nothing more is
// recorded, and everybody who waits is told.
func TestDetach(t *testing.T) {
	durable(t, 2, testJob(9, 0, 3, time.Hour), each(script{createTakes: 300 * time.Millisecond, runs: 10 * time.Second}), func(t *testing.T, w *world) {
		<-time.After(12 * time.Second)
		waited := make(chan error, 1)
		go func() {
			_, err := w.run.Wait(context.Background())
			waited <- err
		}()
		synctest.Wait()
		begun := time.Now()
		records, _ := w.journal.length()
		w.scheduler.Detach()
		w.scheduler.Detach()
		w.scheduler.Wait()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("took %s", took)
		}
		if n, _ := w.journal.length(); n != records {
			t.Errorf("%d more records", n-records)
		}
		running := 0
		w.machine.look(func() {
			for _, b := range w.machine.bodies {
				if b.started && !b.over {
					running++
				}
			}
		})
		if running != 2 {
			t.Errorf("%d instances run on, want 2", running)
		}
		if err := <-waited; !errors.Is(err, ErrDetached) {
			t.Errorf("wait: %v", err)
		}
		if _, err := w.run.Status(context.Background()); !errors.Is(err, ErrDetached) {
			t.Errorf("status: %v", err)
		}
		select {
		case <-w.run.Done():
			t.Error("the execution is done")
		default:
		}
		if e, err := w.scheduler.Run(t.Context(), w.x, &rimage.Image{}, Past{}); err != nil {
			t.Error(err)
		} else if _, err := e.Wait(t.Context()); !errors.Is(err, ErrDetached) {
			t.Errorf("wait for one that came too late: %v", err)
		}
		w.begin(2)
		w.machine.endSurvivors()
		check(t, wait(t, w.run), "succeeded 9 failed 0 cancelled 0 retried 0")
		w.audit()
	})
}

// A stop under way is carried through: detaching must not cut the grace period
// short.
//
// contract: JOB-12
func TestDetachDuringGrace(t *testing.T) {
	durable(t, 1, testJob(1, 0, 3, time.Hour), each(script{runs: time.Hour, deaf: true}), func(t *testing.T, w *world) {
		<-time.After(time.Second)
		w.run.Cancel()
		<-time.After(4 * time.Second)
		begun := time.Now()
		w.scheduler.Detach()
		w.scheduler.Wait()
		if took := time.Since(begun); took != 6*time.Second {
			t.Errorf("took %s, want the rest of 10 s", took)
		}
		w.begin(1)
		check(t, wait(t, w.run), "succeeded 0 failed 0 cancelled 1 retried 0")
	})
}

func TestExecutionIsNotRunTwice(t *testing.T) {
	durable(t, 1, testJob(1, 0, 3, time.Hour), each(script{runs: time.Second}), func(t *testing.T, w *world) {
		if _, err := w.scheduler.Run(t.Context(), w.x, &rimage.Image{}, Past{}); !errors.Is(err, ErrRunning) {
			t.Errorf("got %v", err)
		}
		wait(t, w.run)
	})
}
