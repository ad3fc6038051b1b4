package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// fill takes all room that is left in dir.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
}

// contract: ATK-37
func TestFullDiskIsWaitedFor(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	dir := testenv.Tmpfs(t, 32<<20)
	path := filepath.Join(dir, "state.db")
	s := openAt(t, path)
	update(t, s, func(tx *Tx) { tx.Put("jobs", "before", epoch(), nil) })
	fill(t, filepath.Join(dir, "filler"))

	// What fits into the room that the file has goes through.
	update(t, s, func(tx *Tx) { tx.Put("jobs", "small", epoch(), nil) })
	big := bytes.Repeat([]byte("x"), 6<<20)
	put := func(tx *Tx) error { tx.Put("jobs", "big", epoch(), big); return nil }
	if err := s.Update(t.Context(), put); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("update on a full disk: %v", err)
	}
	testenv.Eventually(t, patience, func() bool { return s.Health() == nil }, "small things still go through")
	first := s.Append(func(tx *Tx) { tx.Put("pins", "big", epoch(), big) })
	var last Ticket
	for n := range uint32(1000) {
		last = s.Append(func(tx *Tx) { tx.PutRow("exec", n, nil) })
	}
	testenv.Eventually(t, patience, func() bool { return errors.Is(s.Health(), syscall.ENOSPC) }, "health")
	// Nothing overtakes what waits.
	if err := s.Update(t.Context(), func(tx *Tx) error { tx.Put("jobs", "later", epoch(), nil); return nil }); !errors.Is(err, ErrDisk) {
		t.Fatalf("update behind what the disk refuses: %v", err)
	}
	equal(t, names(t, s, "jobs"), []string{"before", "small"})
	select {
	case <-first.Done():
		t.Fatal("durable on a full disk")
	case <-last.Done():
		t.Fatal("durable on a full disk")
	default:
	}

	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	await(t, last)
	await(t, first)
	if err := s.Health(); err != nil {
		t.Errorf("health once there is room: %v", err)
	}
	update(t, s, func(tx *Tx) { tx.Put("jobs", "later", epoch(), nil) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	if s.Recovery() != nil || len(numbers(t, s, "exec")) != 1000 {
		t.Errorf("afterwards: %+v, %d rows", s.Recovery(), len(numbers(t, s, "exec")))
	}
	equal(t, names(t, s, "jobs"), []string{"before", "later", "small"})
	equal(t, names(t, s, "pins"), []string{"big"})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// contract: ATK-37
func TestNoRoomToBegin(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	dir := testenv.Tmpfs(t, 1<<20)
	fill(t, filepath.Join(dir, "filler"))
	if _, err := Open(filepath.Join(dir, "state.db")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("open on a full disk: %v", err)
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, filepath.Join(dir, "state.db"))
	update(t, s, func(tx *Tx) { tx.Put("jobs", "a", epoch(), nil) })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// contract: ATK-37
func TestCloseSaysWhatTheDiskHasNotTaken(t *testing.T) {
	t.Parallel()
	d := &disk{}
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(*Tx) {})
	d.refuses.Store(true)
	s.commits.commit = d.commit
	for n := range uint32(3) {
		s.Append(func(tx *Tx) { tx.PutRow("exec", n, nil) })
	}
	start := time.Now()
	if err := s.Close(); !errors.Is(err, ErrDisk) || !errors.Is(err, errIO) {
		t.Fatalf("close: %v", err)
	}
	if took := time.Since(start); took > patience/2 {
		t.Errorf("closed after %v", took)
	}
	equal(t, numbers(t, openAt(t, path), "exec"), nil)
}
