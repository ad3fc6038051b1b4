package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"runnel/internal/testenv"
)

// patience is how long a test waits for what should take no time.
const patience = time.Minute

// epoch is when the first record of a test was created.
func epoch() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC) }

// openNew opens a store that is closed at the end of the test.
func openNew(t *testing.T) *Store { return openAt(t, filepath.Join(t.TempDir(), "state.db")) }

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// update fails the test if the change does not go through.
func update(t *testing.T, s *Store, change func(*Tx)) {
	t.Helper()
	if err := s.Update(context.Background(), func(tx *Tx) error { change(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// view is a View that cannot fail.
func view(t *testing.T, s *Store, read func(*Tx)) {
	t.Helper()
	if err := s.View(func(tx *Tx) error { read(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// await waits for a ticket.
func await(t *testing.T, ticket Ticket) {
	t.Helper()
	select {
	case <-ticket.Done():
	case <-time.After(patience):
		t.Fatal("ticket is not done")
	}
}

// names lists a kind.
func names(t *testing.T, s *Store, kind Kind) (all []string) {
	t.Helper()
	view(t, s, func(tx *Tx) {
		for e := range tx.Newest(kind, "") {
			all = append(all, e.Name)
		}
	})
	return all
}

// numbers lists a series.
func numbers(t *testing.T, s *Store, series string) (all []uint32) {
	t.Helper()
	view(t, s, func(tx *Tx) {
		for n := range tx.Rows(series) {
			all = append(all, n)
		}
	})
	return all
}

// equal compares slices.
func equal[E comparable](t *testing.T, got, want []E) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// untilTaken waits until the committer has one change in hand.
func untilTaken(t *testing.T, s *Store) {
	t.Helper()
	testenv.Eventually(t, patience, func() bool {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		return s.queue.taken == 1
	}, "one change is taken")
}

// disk stands between a store and its disk: it counts the commits, holds them
// back, and refuses them.
type disk struct {
	commits atomic.Int32
	refuses atomic.Bool
	gate    chan struct{} // each commit takes one token, if not nil
}

// errIO is what a disk says that refuses.
var errIO = errors.New("input/output error")

// openOn opens a store on a disk that the test has in hand.
func openOn(t *testing.T, d *disk) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s := openAt(t, path)
	update(t, s, func(*Tx) {}) // the committer is idle then
	s.commits.commit = d.commit
	return s
}

func (d *disk) commit(tx *bolt.Tx) error {
	if d.gate != nil {
		<-d.gate
	}
	if d.refuses.Load() {
		return errors.Join(errIO, tx.Rollback())
	}
	d.commits.Add(1)
	return tx.Commit()
}
