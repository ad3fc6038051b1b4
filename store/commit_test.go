package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	bolt "go.etcd.io/bbolt"

	"runnel/internal/testenv"
)

// contract: JOB-1
func TestTenThousandRowsCostAHandfulOfCommits(t *testing.T) {
	t.Parallel()
	d := &disk{}
	s := openOn(t, d)
	var last Ticket
	for n := range uint32(10_000) {
		last = s.Append(func(tx *Tx) { tx.PutRow("exec", n, make([]byte, 200)) })
	}
	await(t, last)
	if got := len(numbers(t, s, "exec")); got != 10_000 {
		t.Fatalf("%d rows", got)
	}
	if n := d.commits.Load(); n > 20 {
		t.Errorf("%d commits", n)
	}
}

func TestUpdatesOfOneTimeShareACommit(t *testing.T) {
	t.Parallel()
	d := &disk{gate: make(chan struct{})}
	s := openOn(t, d)
	first := s.Append(func(tx *Tx) { tx.PutRow("x", 0, nil) })
	untilTaken(t, s)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			update(t, s, func(tx *Tx) { tx.Put("jobs", fmt.Sprint(i), epoch(), nil) })
		})
	}
	testenv.Eventually(t, patience, func() bool { return len(s.queue.rest()) == 51 }, "all are queued")
	d.gate <- struct{}{}
	await(t, first)
	d.gate <- struct{}{}
	wg.Wait()
	if n := d.commits.Load(); n != 2 {
		t.Errorf("%d commits, want one for the first and one for the rest", n)
	}
}

func TestFailingChangeComesToNothingAlone(t *testing.T) {
	t.Parallel()
	d := &disk{gate: make(chan struct{})}
	s := openOn(t, d)
	blocked := s.Append(func(tx *Tx) { tx.PutRow("x", 0, nil) })
	untilTaken(t, s)
	own := errors.New("own")
	results := make([]error, 30)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			results[i] = s.Update(context.Background(), func(tx *Tx) error {
				if i%3 == 1 {
					return own // before it has written
				}
				tx.Put("jobs", fmt.Sprintf("%02d", i), epoch(), nil)
				tx.PutRow("rows", uint32(i), nil)
				if i%3 == 2 {
					return own // after it has written
				}
				return nil
			})
		})
	}
	testenv.Eventually(t, patience, func() bool { return len(s.queue.rest()) == 31 }, "all are queued")
	d.gate <- struct{}{}
	await(t, blocked)
	d.gate <- struct{}{}
	wg.Wait()
	var want []uint32
	for i, err := range results {
		if i%3 == 0 {
			want = append(want, uint32(i))
		}
		if (i%3 == 0) != (err == nil) || err != nil && !errors.Is(err, own) {
			t.Errorf("update %d: %v", i, err)
		}
	}
	equal(t, numbers(t, s, "rows"), want)
	if got := names(t, s, "jobs"); len(got) != 10 {
		t.Errorf("jobs %v", got)
	}
	if n := d.commits.Load(); n != 2 {
		t.Errorf("%d commits", n)
	}
}

func TestReadingUpdateCostsNoCommit(t *testing.T) {
	t.Parallel()
	d := &disk{}
	s := openOn(t, d)
	update(t, s, func(tx *Tx) { tx.Get("jobs", "a"); tx.Delete("jobs", "a"); tx.DeleteSeries("s") })
	if n := d.commits.Load(); n != 0 {
		t.Errorf("%d commits", n)
	}
}

func TestChangesTakeEffectInOrder(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			name := fmt.Sprint("counter-", g)
			for i := range 300 {
				if i%50 == 49 {
					err := s.Update(context.Background(), func(tx *Tx) error {
						if got := string(tx.Get("jobs", name)); got != fmt.Sprint(i-1) {
							return fmt.Errorf("%s is %s before %d", name, got, i)
						}
						tx.Put("jobs", name, epoch(), []byte(fmt.Sprint(i)))
						return nil
					})
					if err != nil {
						t.Error(err)
					}
					continue
				}
				s.Append(func(tx *Tx) {
					if got := string(tx.Get("jobs", name)); i > 0 && got != fmt.Sprint(i-1) {
						t.Errorf("%s is %s before %d", name, got, i)
					}
					tx.Put("jobs", name, epoch(), []byte(fmt.Sprint(i)))
				})
			}
		})
	}
	wg.Wait()
}

func TestWhatTheDiskRefusesKeepsItsPlace(t *testing.T) {
	t.Parallel()
	d := &disk{gate: make(chan struct{}, 100)}
	d.refuses.Store(true)
	s := openOn(t, d)
	first := s.Append(func(tx *Tx) { tx.PutRow("x", 1, nil) })
	untilTaken(t, s)
	last := s.Append(func(tx *Tx) {
		for n := range tx.Rows("x") {
			tx.PutRow("x", n+1, nil)
			return
		}
		t.Error("the second has overtaken the first")
	})
	d.gate <- struct{}{}
	testenv.Eventually(t, patience, func() bool { return errors.Is(s.Health(), ErrDisk) }, "health")
	d.refuses.Store(false)
	for range 10 {
		d.gate <- struct{}{}
	}
	await(t, first)
	await(t, last)
	equal(t, numbers(t, s, "x"), []uint32{1, 2})
	if err := s.Health(); err != nil {
		t.Error(err)
	}
}

func TestViewShowsNothingThatIsNotDurable(t *testing.T) {
	t.Parallel()
	d := &disk{gate: make(chan struct{})}
	s := openOn(t, d)
	ticket := s.Append(func(tx *Tx) { tx.Put("jobs", "a", epoch(), nil) })
	equal(t, names(t, s, "jobs"), nil)
	d.gate <- struct{}{}
	await(t, ticket)
	equal(t, names(t, s, "jobs"), []string{"a"})
}

func TestViewWaitsForTheSyncOfWhatItSees(t *testing.T) {
	t.Parallel()
	s := openOn(t, &disk{})
	written, synced := make(chan struct{}), make(chan struct{})
	s.commits.commit = func(tx *bolt.Tx) error {
		err := tx.Commit()
		close(written)
		<-synced
		return err
	}
	ticket := s.Append(func(tx *Tx) { tx.Put("jobs", "a", epoch(), nil) })
	<-written // all can see it, and it is not known to be on the disk
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		view(t, s, func(tx *Tx) {
			if !done.Load() || tx.Get("jobs", "a") == nil {
				t.Error("seen before it was synced, or not at all")
			}
		})
	})
	testenv.Eventually(t, patience, func() bool {
		free := s.commits.readers.TryLock()
		if free {
			s.commits.readers.Unlock()
		}
		return !free
	}, "somebody reads")
	done.Store(true)
	close(synced)
	await(t, ticket)
	wg.Wait()
}

func TestUpdateWhoseContextEndsIsTakenBack(t *testing.T) {
	t.Parallel()
	d := &disk{gate: make(chan struct{})}
	s := openOn(t, d)
	ticket := s.Append(func(tx *Tx) { tx.PutRow("x", 0, nil) })
	untilTaken(t, s)
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("client is gone")
	done := make(chan error)
	go func() {
		done <- s.Update(ctx, func(*Tx) error { t.Error("ran"); return nil })
	}()
	testenv.Eventually(t, patience, func() bool { return len(s.queue.rest()) == 2 })
	cancel(gone)
	if err := <-done; !errors.Is(err, gone) {
		t.Errorf("update: %v", err)
	}
	if err := s.Update(ctx, func(*Tx) error { t.Error("ran"); return nil }); !errors.Is(err, gone) {
		t.Errorf("update of an ended context: %v", err)
	}
	d.gate <- struct{}{}
	await(t, ticket)
}

func TestZeroTicketIsDone(t *testing.T) {
	t.Parallel()
	await(t, Ticket{})
}
