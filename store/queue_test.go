package store

import (
	"testing"
	"testing/synctest"
	"time"
)

// appended is a change that is kept, and does nothing.
func appended() *change { return newChange(func(*Tx) error { return nil }, true) }

func TestLoneChangeIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// In a bubble time stands still unless all wait for it.
		start := time.Now()
		q := newQueue()
		done := make(chan bool)
		go func() { done <- q.wait(0) }()
		q.add(appended())
		if closed := <-done; closed || !time.Now().Equal(start) {
			t.Errorf("taken after %v", time.Since(start))
		}
	})
}

func TestAppendWaitsWhereTooManyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		for range maxBacklog {
			q.add(appended())
		}
		added := false
		go func() {
			q.add(appended())
			added = true
		}()
		synctest.Wait()
		if added {
			t.Fatal("added to a full queue")
		}
		q.add(newChange(func(*Tx) error { return nil }, false)) // an Update does not wait for room
		if got := len(q.take()); got != maxBatch {
			t.Fatalf("a batch of %d", got)
		}
		synctest.Wait()
		if added {
			t.Fatal("added while the batch is still on its way")
		}
		q.settle(nil)
		synctest.Wait()
		if !added || len(q.rest()) != maxBacklog-maxBatch+2 {
			t.Fatalf("added %v, %d wait", added, len(q.rest()))
		}
	})
}

func TestPausesGrowAndEnd(t *testing.T) {
	t.Parallel()
	pause, all := time.Duration(0), time.Duration(0)
	for range 20 {
		next := longer(pause, ErrDisk)
		if next <= 0 || next < pause || next > longestPause {
			t.Fatalf("%v after %v", next, pause)
		}
		pause, all = next, all+next
	}
	if pause != longestPause || all < 10*time.Second || longer(pause, nil) != 0 {
		t.Errorf("pauses of %v together, the last is %v", all, pause)
	}
}
