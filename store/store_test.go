package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRecordsAreThereAfterReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	big := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	s := openAt(t, path)
	update(t, s, func(tx *Tx) {
		tx.Put("jobs", "a", epoch(), []byte("one"))
		tx.Put("jobs", "b", epoch(), nil)
		tx.Put("pins", "a", epoch(), big)
		tx.PutRow("exec", 9999, []byte("row"))
		tx.Delete("jobs", "nobody")
		tx.DeleteSeries("nothing")
	})
	update(t, s, func(tx *Tx) { tx.Put("jobs", "a", epoch(), []byte("two")) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	if s.Recovery() != nil {
		t.Fatalf("recovery of a whole file: %+v", s.Recovery())
	}
	view(t, s, func(tx *Tx) {
		if got := tx.Get("jobs", "a"); string(got) != "two" {
			t.Errorf("a: %q", got)
		}
		if got := tx.Get("jobs", "b"); got == nil || len(got) > 0 {
			t.Errorf("b: %#v, want an empty value", got)
		}
		if got := tx.Get("pins", "a"); !bytes.Equal(got, big) {
			t.Errorf("the big value has %d bytes", len(got))
		}
		if tx.Get("jobs", "c") != nil || tx.Get("job", "a") != nil || tx.Get("jobs", "") != nil {
			t.Error("found what is not there")
		}
		for n, value := range tx.RowsFrom("exec", 5) {
			if n != 9999 || string(value) != "row" {
				t.Errorf("row %d: %q", n, value)
			}
		}
	})
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	if err := openAt(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	openAt(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(left) != 1 {
		t.Fatalf("besides the file: %v", left)
	}
}

func TestSecondOpenIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	start := time.Now()
	if _, err := Open(s.db.Path()); !errors.Is(err, ErrLocked) {
		t.Fatalf("second open: %v", err)
	}
	if took := time.Since(start); took > patience/4 {
		t.Fatalf("refused after %v", took)
	}
	update(t, s, func(tx *Tx) { tx.Put("jobs", "a", epoch(), nil) })
}

func TestOpenErrorsNameTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "nowhere", "state.db")
	if _, err := Open(path); !errors.Is(err, os.ErrNotExist) || !bytes.Contains([]byte(err.Error()), []byte(path)) {
		t.Fatal(err)
	}
}

func TestClosedStoreRefuses(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("update: %v", err)
	}
	if err := s.View(func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("view: %v", err)
	}
	select {
	case <-s.Append(func(*Tx) { t.Error("appended after close") }).Done():
		t.Error("durable after close")
	default:
	}
}

func TestCloseWaitsForWhatWasQueued(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	s := openAt(t, path)
	const rows = 2*maxBatch + 5
	var tickets []Ticket
	for n := range uint32(rows) {
		tickets = append(tickets, s.Append(func(tx *Tx) { tx.PutRow("exec", n, nil) }))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, ticket := range tickets {
		await(t, ticket)
	}
	if got := numbers(t, openAt(t, path), "exec"); len(got) != rows {
		t.Fatalf("%d rows, want %d", len(got), rows)
	}
}

func TestMistakesPanicWhereTheyAreMade(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for name, mistake := range map[string]func(*Tx){
		"name":    func(tx *Tx) { tx.Put("jobs", "", epoch(), nil) },
		"kind":    func(tx *Tx) { tx.Put("jo\x00bs", "a", epoch(), nil) },
		"no kind": func(tx *Tx) { tx.Put("", "a", epoch(), nil) },
		"long":    func(tx *Tx) { tx.Put("jobs", string(make([]byte, 1<<15)), epoch(), nil) },
		"series":  func(tx *Tx) { tx.PutRow("", 1, nil) },
		"own":     func(*Tx) { panic("own") },
	} {
		recovered := func() (r any) {
			defer func() { r = recover() }()
			update(t, s, func(tx *Tx) {
				tx.Put("jobs", "a", epoch(), nil)
				mistake(tx)
			})
			return nil
		}()
		if recovered == nil {
			t.Errorf("%s: no panic", name)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a view that writes: no panic")
			}
		}()
		view(t, s, func(tx *Tx) { tx.Put("jobs", "b", epoch(), nil) })
	}()
	equal(t, names(t, s, "jobs"), nil)
	update(t, s, func(tx *Tx) { tx.Put("jobs", "b", epoch(), nil) })
}

// contract: JOB-1
func TestSeriesOfTheGreatestExecutionIsQuick(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	const tasks = 10_000
	update(t, s, func(tx *Tx) {
		for n := range uint32(tasks) {
			tx.PutRow("exec", tasks-1-n, fmt.Appendf(nil, "row %d", tasks-1-n))
		}
		tx.PutRow("exec2", 3, []byte("other"))
	})
	start, next := time.Now(), uint32(0)
	view(t, s, func(tx *Tx) {
		for n, value := range tx.Rows("exec") {
			if n != next || string(value) != fmt.Sprintf("row %d", n) {
				t.Fatalf("row %d is %d: %q", next, n, value)
			}
			next++
		}
	})
	if next != tasks {
		t.Fatalf("%d rows", next)
	}
	read := time.Since(start)
	start = time.Now()
	update(t, s, func(tx *Tx) { tx.DeleteSeries("exec") })
	deleted := time.Since(start)
	t.Logf("read in %v, deleted in %v", read, deleted)
	if read > 5*time.Second || deleted > 5*time.Second {
		t.Errorf("read in %v, deleted in %v", read, deleted)
	}
	equal(t, numbers(t, s, "exec"), nil)
	equal(t, numbers(t, s, "exec2"), []uint32{3})
}

func TestRowsMayBeWrittenWhileTheyAreListed(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	update(t, s, func(tx *Tx) {
		for n := range uint32(300) {
			tx.PutRow("exec", 2*n, nil)
		}
	})
	var seen []uint32
	update(t, s, func(tx *Tx) {
		seen = nil
		for n := range tx.RowsFrom("exec", 1) {
			seen = append(seen, n)
			if n == 8 {
				tx.PutRow("exec", 9, nil)
			}
			if n == 20 {
				tx.DeleteSeries("exec")
			}
		}
	})
	equal(t, seen, []uint32{2, 4, 6, 8, 9, 10, 12, 14, 16, 18, 20})
}
