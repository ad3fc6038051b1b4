package store

import (
	"errors"
	"strconv"
	"sync/atomic"
	"testing"

	bolt "go.etcd.io/bbolt"

	"runnel/internal/testenv"
)

// openUnsynced opens a store whose every commit gets as far as the meta page
// and cannot sync that. So can the store itself, as long as refuses says so.
func openUnsynced(t *testing.T, refuses *atomic.Bool) *Store {
	t.Helper()
	s := openOn(t, &disk{})
	sync := s.commits.file.sync
	s.commits.file.sync = func() error {
		if refuses.Load() {
			return errIO
		}
		return sync()
	}
	s.commits.commit = func(tx *bolt.Tx) error { return errors.Join(tx.Commit(), errIO) }
	return s
}

// increment counts in a record: run twice, it shows.
func increment(tx *Tx, name string) {
	n, _ := strconv.Atoi(string(tx.Get("counters", name)))
	tx.Put("counters", name, epoch(), strconv.AppendInt(nil, int64(n)+1, 10))
}

// counter reads what increment has counted.
func counter(t *testing.T, s *Store, name string) (n string) {
	t.Helper()
	view(t, s, func(tx *Tx) { n = string(tx.Get("counters", name)) })
	return n
}

func TestMetaPageThatWasNotSyncedIsWrittenAgain(t *testing.T) {
	t.Parallel()
	s := openUnsynced(t, &atomic.Bool{})
	update(t, s, func(tx *Tx) { increment(tx, "a") })
	await(t, s.Append(func(tx *Tx) { increment(tx, "a") }))
	if got := counter(t, s, "a"); got != "2" || s.Health() != nil {
		t.Errorf("counted %s, health %v", got, s.Health())
	}
}

func TestUnsureTransactionDoesNotRunAgain(t *testing.T) {
	t.Parallel()
	var refuses atomic.Bool
	refuses.Store(true)
	s := openUnsynced(t, &refuses)
	first := s.Append(func(tx *Tx) { increment(tx, "a") })
	testenv.Eventually(t, patience, func() bool { return errors.Is(s.Health(), errIO) }, "health")
	second := s.Append(func(tx *Tx) { increment(tx, "b") })
	if err := s.Update(t.Context(), func(tx *Tx) error { increment(tx, "c"); return nil }); !errors.Is(err, ErrDisk) {
		t.Fatalf("update: %v", err)
	}
	select {
	case <-first.Done():
		t.Fatal("the first is durable")
	case <-second.Done():
		t.Fatal("the second is durable")
	default:
	}
	counter(t, s, "a") // reading goes on
	refuses.Store(false)
	await(t, first)
	await(t, second)
	if a, b, c := counter(t, s, "a"), counter(t, s, "b"), counter(t, s, "c"); a != "1" || b != "1" || c != "" {
		t.Errorf("counted %q %q %q, want 1, 1 and nothing", a, b, c)
	}
	testenv.Eventually(t, patience, func() bool { return s.Health() == nil }, "health")
}
